"""What a clause is, and the clauses: a module a topic, a test a clause."""
