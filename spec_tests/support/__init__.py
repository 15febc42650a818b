"""What every part of convspec may use: texts that are safe to print, and files that are written whole."""
