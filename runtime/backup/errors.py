"""Owns the error of backups and restores."""


class BackupError(Exception):
    """A backup cannot be made, read or put back; the text says what happened, to what, and what to do."""
