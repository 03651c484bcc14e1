"""Owns the failures of commands: a sentence on standard error and exit code 1."""


class Failure(Exception):  # noqa: N818 -- what a command ends with
    """A command could not do what was asked; the text says what happened and what to do next."""
