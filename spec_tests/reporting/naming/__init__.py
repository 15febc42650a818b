"""Which known fault the failures of a run look like: they are matched against the rows of the kill matrix."""
