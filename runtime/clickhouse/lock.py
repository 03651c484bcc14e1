"""Owns the lock on a data directory: the engine in process serves one process, and says nothing useful to a second."""

import fcntl
import os
import threading
from pathlib import Path
from typing import IO

from runtime.clickhouse.errors import StorageInUseError

_NAME = "poolwatch.lock"
_guard = threading.Lock()
_held: dict[Path, tuple[IO[str], int]] = {}


def hold(directory: Path) -> None:
    """Take the directory for this process (again). Raises StorageInUseError when another process has it."""
    directory = directory.resolve()
    with _guard:
        if directory in _held:
            file, times = _held[directory]
            _held[directory] = file, times + 1
            return
        _held[directory] = _lock(directory), 1


def let_go(directory: Path) -> None:
    """Give back one hold; the last one frees the directory for other processes."""
    directory = directory.resolve()
    with _guard:
        file, times = _held.pop(directory)
        if times > 1:
            _held[directory] = file, times - 1
        else:
            file.close()


def _lock(directory: Path) -> IO[str]:
    directory.mkdir(parents=True, exist_ok=True)
    file = (directory / _NAME).open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.seek(0)
        holder = file.read(20).strip() or "unknown"
        file.close()
        raise StorageInUseError(
            f"the ClickHouse data in {directory} are in use by process {holder}: stop that process"
            " (another `poolwatch up`?), or choose another data directory"
        ) from error
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file
