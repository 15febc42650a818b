"""The one exception that a user can put right."""


class PipelineError(Exception):
    """One line that says what is wrong and what to do; the command line exits with 2."""
