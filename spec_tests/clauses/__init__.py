"""The definition of a clause, and the clauses: one module per topic, one test per clause."""
