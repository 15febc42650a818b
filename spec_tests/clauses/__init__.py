"""The clauses: a module a topic, a test a clause."""
