"""What is checked: the contract, how an implementation of it is found, and what it declares of itself."""
