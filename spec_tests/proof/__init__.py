"""The proof that the specification catches the faults that it claims to catch, and passes correct implementations."""
