"""Clauses checked in separate processes: an implementation that hangs or crashes affects only its own clauses.

A supervisor starts a worker, which is pytest with the plugins of this project; the worker writes what
happens to a journal. Should the worker be lost, the clause that it was at is lost with it, and another
worker goes on with the rest.
"""
