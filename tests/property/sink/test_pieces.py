"""Filling buckets from pieces says the same as reading every second of the range."""

from hypothesis import given
from hypothesis import strategies as st

from portal.store.pieces import Figures, Piece, fill
from schemas.times import to_ms


def _figures(licensed: int) -> Figures:
    return Figures(licensed, None, 0, 0, [0] * 10, False)


@st.composite
def _timelines(draw: st.DrawFn) -> tuple[int | None, dict[int, int], int, int]:
    step_s = draw(st.integers(1, 7))
    steps = draw(st.integers(1, 8))
    cut = draw(st.integers(0, step_s - 1))
    end = step_s * steps - cut
    values = draw(st.dictionaries(st.integers(0, end - 1), st.integers(0, 50), max_size=12))
    return draw(st.none() | st.integers(0, 50)), values, step_s, end


def _pieces(values: dict[int, int], step_s: int) -> dict[int, Piece]:
    pieces: dict[int, Piece] = {}
    for second, value in sorted(values.items()):
        begin = second // step_s * step_s
        before = pieces.get(begin)
        if before is None:
            pieces[begin] = Piece(second, second, value, value, 0, _figures(value))
        else:
            area = before.area + before.last.licensed * (second - before.end)
            pieces[begin] = Piece(
                before.first, second, min(before.min, value), max(before.max, value), area, _figures(value)
            )
    return pieces


@given(_timelines())
def test_buckets_are_what_each_second_says(timeline: tuple[int | None, dict[int, int], int, int]) -> None:
    carried, values, step_s, end = timeline
    held, seconds = carried, []
    for second in range(end):
        held = values.get(second, held)
        seconds.append(held)
    found = {
        to_ms(bucket.at) // 1_000: (bucket.min, bucket.max, bucket.last, round(bucket.avg, 6))
        for bucket in fill(_pieces(values, step_s), None if carried is None else _figures(carried), 0, end, step_s)
    }
    expected = {}
    for begin in range(0, end, step_s):
        known = [value for value in seconds[begin : begin + step_s] if value is not None]
        if known:
            expected[begin] = (min(known), max(known), known[-1], round(sum(known) / len(known), 6))
    assert expected == found
