"""Clauses checked in separate processes: an implementation that hangs or crashes affects only its own clauses.

A supervisor starts workers. A worker is pytest with the plugins of this project, and writes its events to a journal. If
a worker is lost, so is the clause that it was checking; another worker continues with the rest.
"""
