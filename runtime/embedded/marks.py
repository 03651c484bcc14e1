"""Owns the names of the files in the run folder by which the processes of the embedded stack tell how far they are."""

from pathlib import Path

REBUILT_MARK = "rebuilt"
"""Made by the core: the topics hold what they must, the worker may read them."""
COUNTING_MARK = "counting"
"""Made by the worker: it owns and has recovered every partition."""


def run_folder(data: Path) -> Path:
    """Return the run folder of a data directory; a start empties it."""
    return data / "run"
