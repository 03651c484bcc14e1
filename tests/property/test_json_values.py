"""A JSON text is cut into the same values however its lines are cut into pieces."""

import json
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from collectors.files.json_values import Value, split_values

TEXTS = st.text(st.sampled_from('ab"\\{}[],: \n\té'), max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.lists(st.dictionaries(TEXTS, JSON, max_size=4), min_size=1, max_size=6)


def pieces(text: str, cuts: list[int]) -> list[str]:
    places = [0, *sorted({cut % (len(text) + 1) for cut in cuts}), len(text)]
    return [line for begin, end in pairwise(places) for line in text[begin:end].splitlines(keepends=True)]


@given(OBJECTS, st.sampled_from([None, 0, 2]), st.booleans(), st.lists(st.integers(0, 10_000), max_size=20))
def test_pieces_do_not_change_the_values(
    objects: list[dict[str, Any]], indent: int | None, in_array: bool, cuts: list[int]
) -> None:
    text = (
        json.dumps(objects, indent=indent)
        if in_array
        else "\n".join(json.dumps(o, indent=indent) for o in objects) + "\n"
    )
    for lines in (text.splitlines(keepends=True), pieces(text, cuts)):
        values = list(split_values(lines))
        assert objects == [json.loads(value.text) for value in values if isinstance(value, Value)]
        assert len(objects) == len(values)


@given(OBJECTS, st.lists(st.integers(0, 10_000), max_size=20))
def test_lines_are_counted(objects: list[dict[str, Any]], cuts: list[int]) -> None:
    text = "".join("\n" + json.dumps(o) + "\n" for o in objects)
    values = list(split_values(pieces(text, cuts)))
    assert [2 * n + 2 for n in range(len(objects))] == [value.line for value in values]
