"""The proof that the specification catches what it claims to, and condemns nobody else."""
