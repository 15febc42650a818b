"""Clauses checked in a process of their own, so that an implementation that hangs or dies costs its own clauses alone.

A supervisor starts a worker, which is pytest with the plugins of this project; the worker writes what
happens to a journal. Should the worker be lost, the clause that it was at is lost with it, and another
worker goes on with the rest.
"""
