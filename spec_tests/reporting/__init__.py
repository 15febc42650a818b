"""What is said of a run: one record, and the forms that it is shown in."""
