"""Cases that clauses are tried on: windows, archives, folders of images, pictures, models, trials."""
