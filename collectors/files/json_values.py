"""Owns the cutting of a JSON text into its values, streamed: lines, arrays, and objects over many lines."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import msgspec

from collectors.files.rows import Rejected

MAX_VALUE_CHARS = 1024 * 1024
# Whole strings first, so that brackets inside them are never seen; a quote that is left over begins a string without
# end.
_TOKENS = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|["{}\[\]]', re.DOTALL)
_BETWEEN = " \t\r\n,"
_LINE_ENDS = ("\n", "\r")
_SHOWN_CHARS = 60


@dataclass(frozen=True, slots=True)
class Value:
    """The text of one JSON value, and the line it starts on. Elements of a top-level array come one by one."""

    line: int
    text: str


def split_values(lines: Iterable[str]) -> Iterator[Value | Rejected]:
    """Cut lines (or pieces of lines) into values. Holds at most about one value of MAX_VALUE_CHARS."""
    splitter = _Splitter()
    for line in lines:
        text = line.strip()
        # The common case, a line an event, needs no look inside. A piece of a line may end in a bracket by chance.
        is_whole = line.endswith(_LINE_ENDS)
        if is_whole and splitter.rests and text.startswith("{") and text.endswith("}") and "}{" not in text:
            yield Value(splitter.line, text)
            splitter.line += 1
            continue
        # A line that is a whole event ends whatever broke off before it: one torn line must not swallow the file.
        if splitter.is_torn and _is_event(text):
            yield splitter.give_up()
        yield from splitter.feed(line)
    if not splitter.rests:
        yield splitter.give_up()


def _is_event(text: str) -> bool:
    if not (text.startswith('{"') and text.endswith("}")):
        return False
    try:
        return "type" in msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError):
        return False


class _Splitter:
    """Follows the depth over pieces of text. `base` is 1 inside a top-level array, whose elements are the values."""

    def __init__(self) -> None:
        self.line = 1
        self._depth = self._base = 0
        self._started_at = 1
        self._carried = ""
        self._pieces: list[str] = []
        self._held_chars = 0

    @property
    def rests(self) -> bool:
        """True between values, outside an array."""
        return self._depth == 0 and not self._carried

    @property
    def is_torn(self) -> bool:
        """True inside an object that is no element of an array."""
        return self._base == 0 and self._depth > 0

    def feed(self, piece: str) -> Iterator[Value | Rejected]:
        """Take a line, or a piece of one; give out the values that end in it."""
        text, self._carried = self._carried + piece, ""
        done = 0  # what lies before has been given out, kept or looked at
        for match in _TOKENS.finditer(text):
            token, place = match.group(), match.start()
            if token == '"' and not piece.endswith(_LINE_ENDS) and len(text) - place <= MAX_VALUE_CHARS:
                self._carried, text = text[place:], text[:place]
                break
            if self._depth == self._base:
                if (gap := text[done:place].strip(_BETWEEN)) or token[0] == '"':
                    yield self._no_object(gap or token)
                done = place + len(token) if token[0] == '"' else place
            if token in "{[":
                done = self._open(token, place, done)
            elif token in "}]":
                ended = self._close(text[done : place + 1])
                done = place + 1
                if ended is not None:
                    yield ended
        if self._depth > self._base:
            self._keep(text[done:])
        elif gap := text[done:].strip(_BETWEEN):
            yield self._no_object(gap)
        self.line += piece.endswith(_LINE_ENDS)

    def give_up(self) -> Rejected:
        """End what has no end of its own."""
        in_array = self._depth == self._base
        line = self.line if in_array else self._started_at
        self._depth = self._base = 0
        self._carried = ""
        self._forget()
        what = "the array" if in_array else "the value that starts here"
        return Rejected(line, f"not JSON: {what} never ends, a bracket or a quote is missing")

    def _open(self, token: str, place: int, done: int) -> int:
        if self._depth == 0 and token == "[":
            self._base = self._depth = 1
            return place + 1
        if self._depth == self._base:
            self._started_at, done = self.line, place
        self._depth += 1
        return done

    def _close(self, piece: str) -> Value | Rejected | None:
        if self._depth == 0:
            return self._no_object(piece)
        self._depth -= 1
        if self._depth < self._base:
            self._base = 0
            return None
        if self._depth > self._base:
            self._keep(piece)
            return None
        self._keep(piece)
        text, held_chars = "".join(self._pieces), self._held_chars
        self._forget()
        if held_chars > MAX_VALUE_CHARS:
            return Rejected(
                self._started_at, f"an event of {held_chars:,} characters, at most {MAX_VALUE_CHARS:,} are taken"
            )
        return Value(self._started_at, text)

    def _keep(self, piece: str) -> None:
        self._held_chars += len(piece)
        if self._held_chars > MAX_VALUE_CHARS:
            self._pieces.clear()
        else:
            self._pieces.append(piece)

    def _forget(self) -> None:
        self._pieces, self._held_chars = [], 0

    def _no_object(self, text: str) -> Rejected:
        return Rejected(self.line, f"not a JSON object: {text[:_SHOWN_CHARS]!r}")
