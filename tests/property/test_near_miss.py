"""A near miss is what one edit makes of a name, anywhere in a tag, held against the textbook's distance."""

from hypothesis import given
from hypothesis import strategies as st

from licensing.near_miss import near_misses

NAMES = st.text("abcß.1", min_size=6, max_size=14)
AROUND = st.text("abc.1", max_size=8)


def distance(one: str, other: str) -> int:
    """Optimal string alignment, by the recurrence of the textbook."""
    rows = {(i, 0): i for i in range(len(one) + 1)} | {(0, j): j for j in range(len(other) + 1)}
    for i in range(1, len(one) + 1):
        for j in range(1, len(other) + 1):
            changed = rows[i - 1, j - 1] + (one[i - 1] != other[j - 1])
            rows[i, j] = min(rows[i - 1, j] + 1, rows[i, j - 1] + 1, changed)
            if i > 1 and j > 1 and one[i - 2 : i] == other[j - 2 : j][::-1]:
                rows[i, j] = min(rows[i, j], rows[i - 2, j - 2] + 1)
    return rows[len(one), len(other)]


@st.composite
def tags_and_names(draw: st.DrawFn) -> tuple[str, str]:
    """A name, and what up to two edits make of it inside a tag."""
    name = draw(NAMES)
    edited = list(name)
    for _ in range(draw(st.integers(0, 2))):
        place = draw(st.integers(0, len(edited) - 1))
        match draw(st.sampled_from(["insert", "delete", "replace", "swap"])):
            case "insert":
                edited.insert(place, draw(st.sampled_from("abc.1")))
            case "delete" if len(edited) > 1:
                del edited[place]
            case "replace":
                edited[place] = draw(st.sampled_from("abc.1"))
            case _:
                edited[place : place + 2] = reversed(edited[place : place + 2])
    return draw(AROUND) + "".join(edited).upper() + draw(AROUND), name


@given(tags_and_names())
def test_a_near_miss_is_at_distance_one_of_the_tag_or_of_a_part_of_it(made: tuple[str, str]) -> None:
    tag, name = made
    folded, wanted = tag.casefold(), name.casefold()
    parts = {folded[i:j] for i in range(len(folded)) for j in range(i, len(folded) + 1)}
    near = {part for part in parts if abs(len(part) - len(wanted)) < 2 and distance(part, wanted) == 1}
    expected = folded in near or (bool(near) and wanted not in folded and len(wanted) >= 6)
    assert ([name] if expected else []) == near_misses(tag, [name])
