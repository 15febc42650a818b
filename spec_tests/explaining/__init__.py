"""The page of a clause, with everything that is known about it, on a terminal and on a site."""
