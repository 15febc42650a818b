"""Name the known fault that the failures of a run look like, by comparing them with the rows of the kill matrix."""
