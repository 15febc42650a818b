"""Files damaged in every way that was thought of, for tests of what reads them."""
