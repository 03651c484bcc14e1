"""Owns how rows of counts become buckets of a range: carry-forward, true extremes, time-weighted averages. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from licensing.factors import FACTORS
from portal.ports import Bucket
from schemas.times import from_ms


@dataclass(frozen=True, slots=True)
class Figures:
    """What holds from an instant on."""

    licensed: int
    acquired: int | None
    user_licenses: int
    dr_phone_licenses: int
    factors: Sequence[int]
    """counted, matched of each factor in the order of priority."""
    demo: bool


@dataclass(frozen=True, slots=True)
class Piece:
    """Rows of one bucket, in seconds since 1970: covered from `first` to `end`, after which `last` holds."""

    first: int
    end: int
    min: int
    max: int
    area: int | float
    """Licences times seconds between `first` and `end`."""
    last: Figures


def fill(pieces: Mapping[int, Piece], carried: Figures | None, start: int, end: int, step_s: int) -> list[Bucket]:
    """Return the buckets of [start, end), `start` a multiple of the step; `carried` held before the first piece.

    Buckets before a tenant's first count are left out.
    """
    buckets = []
    for begin in range(start, end, step_s):
        until = min(begin + step_s, end)
        piece = pieces.get(begin)
        if piece is None:
            if carried is None:
                continue
            piece = Piece(begin, begin, carried.licensed, carried.licensed, 0, carried)
        buckets.append(_bucket(begin, until, piece, carried))
        carried = piece.last
    return buckets


def _bucket(begin: int, until: int, piece: Piece, carried: Figures | None) -> Bucket:
    low, high, area, covered = piece.min, piece.max, piece.area, piece.first
    if carried is not None and piece.first > begin:
        low, high = min(low, carried.licensed), max(high, carried.licensed)
        area, covered = area + carried.licensed * (piece.first - begin), begin
    until = max(until, piece.end)
    area += piece.last.licensed * (until - piece.end)
    last = piece.last
    return Bucket(
        at=from_ms(begin * 1_000),
        min=low,
        max=high,
        last=last.licensed,
        avg=area / (until - covered) if until > covered else float(last.licensed),
        acquired_licenses=last.acquired,
        user_licenses=last.user_licenses,
        dr_phone_licenses=last.dr_phone_licenses,
        factors={
            factor.name: {"counted": last.factors[2 * place], "matched": last.factors[2 * place + 1]}
            for place, factor in enumerate(FACTORS)
        },
        demo=last.demo,
    )
