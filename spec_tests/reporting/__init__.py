"""The record of a run, and the forms that it is shown in."""
