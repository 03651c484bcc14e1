"""Owns the cache folder of what the tests fetch once: a thing's folder in it is there whole, or not at all."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path


def cache_folder(name: str) -> Path:
    """Return the folder of a thing, whether it is there or not."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "poolwatch-tests" / name


def fill_once(target: Path, fill: Callable[[Path], Path]) -> Path:
    """Return the folder, filled when it is not there yet; `fill` makes it in an empty folder and returns where.

    It is filled beside its place and renamed at the end: a broken download or two runs at once leave no half folder.
    """
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="filling-") as work:
        filled = fill(Path(work))
        try:
            filled.rename(target)
        except OSError:  # another run was faster
            if not target.is_dir():
                raise
    return target
