"""The page of a clause: everything that is known about it, on a terminal and as a site."""
