"""What is checked: the contract, the search for an implementation of it, and what an adapter declares."""
