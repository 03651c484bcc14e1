"""Owns the cutting of an array into the bytes of its events, so that a bad one does not take its neighbours along."""

import json
import re
from typing import Any

import msgspec

_split_strictly: Any = msgspec.json.Decoder(list[msgspec.Raw]).decode
# Takes what is no JSON but leaves no doubt where an event ends: NaN, half of a surrogate pair, a control character.
_scan = json.JSONDecoder(strict=False, parse_int=float).raw_decode
_space = re.compile(r"[ \t\n\r]*").match


def split_array(value: bytes) -> list[bytes]:
    """Return the bytes of each element of an array. Raises ValueError or RecursionError where it cannot be cut."""
    try:
        return [bytes(raw) for raw in _split_strictly(value)]
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return _split_leniently(value.decode(errors="surrogateescape"))


def _split_leniently(text: str) -> list[bytes]:
    place = _after_space(text, 0)
    if text[place : place + 1] != "[":
        raise ValueError("not an array")
    events: list[bytes] = []
    while True:
        start = _after_space(text, place + 1)
        _, end = _scan(text, start)
        events.append(text[start:end].encode(errors="surrogateescape"))
        place = _after_space(text, end)
        if text[place : place + 1] == "]" and _after_space(text, place + 1) == len(text):
            return events
        if text[place : place + 1] != ",":
            raise ValueError(f"neither a comma nor the end of the array at character {place}")


def _after_space(text: str, place: int) -> int:
    found = _space(text, place)
    return found.end() if found else place
