"""Owns the opening of a file as text: encoding from its head, lines of bounded length, progress."""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BufferedReader, TextIOWrapper
from pathlib import Path
from typing import TextIO

from collectors.errors import ImportRefusedError
from schemas.times import from_ms, to_ms

MAX_LINE_CHARS = 256 * 1024
_HEAD_BYTES = 8 * 1024
_UNDECODABLE = "\udcff"
_LONE_SURROGATE = re.compile(r"[\ud800-\udfff]")
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]")


def _mark(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return _UNDECODABLE, error.end


# Undecodable bytes become a mark, so that one bad row is refused with its line number and the rows around it are read.
codecs.register_error("poolwatch.mark", _mark)


def is_undecodable(line: str) -> bool:
    """Tell whether a line held bytes that its encoding does not know."""
    return not line.isascii() and _LONE_SURROGATE.search(line) is not None


@dataclass(frozen=True, slots=True)
class TextFile:
    """A file opened as text. Lines keep their ends, so that a quoted field keeps the line breaks inside it."""

    path: Path
    encoding: str
    total_bytes: int
    modified_at: datetime
    text: TextIO
    binary: BufferedReader

    def lines(self) -> Iterator[str]:
        """Give out lines, or pieces of MAX_LINE_CHARS where a line is longer."""
        return iter(lambda: self.text.readline(MAX_LINE_CHARS), "")

    def position(self) -> int:
        """Return how many bytes have been read."""
        return self.binary.tell()

    def close(self) -> None:
        self.text.close()


def open_text(path: Path) -> TextFile:
    """Open a file. Raises ImportRefusedError if it is not there, not readable, empty, or no text."""
    try:
        binary = path.open("rb")
    except OSError as error:
        reason = f"{path} cannot be read ({error.strerror}): check the path and its permissions"
        raise ImportRefusedError(reason) from error
    try:
        head = binary.peek(_HEAD_BYTES) if path.stat().st_size else b""
        encoding = _encoding(path, head)
        # Every line end of Windows, Unix and old exports ends a line; newline="" keeps them as they are.
        text = TextIOWrapper(binary, encoding=encoding, errors="poolwatch.mark", newline="")
    except BaseException:
        binary.close()
        raise
    status = path.stat()
    modified_at = from_ms(to_ms(datetime.fromtimestamp(status.st_mtime, UTC)))
    return TextFile(path, encoding, status.st_size, modified_at, text, binary)


def _encoding(path: Path, head: bytes) -> str:
    if not head:
        raise ImportRefusedError(f"{path} is empty: export it again")
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    zeros_even, zeros_odd = head[0::2].count(0), head[1::2].count(0)
    half = len(head) // 2
    # Without a BOM, UTF-16 of a mostly western text has a zero in nearly every second byte, and only there.
    if zeros_odd > 0.4 * half and zeros_even < 0.1 * half:
        return "utf-16-le"
    if zeros_even > 0.4 * half and zeros_odd < 0.1 * half:
        return "utf-16-be"
    if _CONTROL.search(head):
        raise ImportRefusedError(
            f"{path} is not a text file (its head holds control characters): give the export itself as UTF-8 or UTF-16"
            " text, not an archive or a workbook"
        )
    return "utf-8"
