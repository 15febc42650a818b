"""What every part may use: texts fit to be shown, and files that are written whole."""
