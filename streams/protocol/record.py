"""Owns the bytes of the state: a subject's record, a tenant's header, a claim, and how their keys tell them apart."""

import msgspec

from licensing.facets import Facet

CLAIM_PREFIX = b"\x00claim/"
_EPOCH_BYTES = 5
_BODY = 1 + _EPOCH_BYTES
_PROFILES = [bytes((profile,)) for profile in range(256)]
EPOCH_HEADER = "epoch"
"""Header that carries the epoch of a deletion, which has no value to carry it in."""


class Body(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What follows profile and epoch in a record: the number of changes so far, and the facets."""

    rev: int
    facets: list[Facet]


_decode_body = msgspec.msgpack.Decoder(Body).decode
_encode = msgspec.msgpack.Encoder().encode


def encode_record(profile: int, epoch: bytes, rev: int, facets: list[Facet]) -> bytes:
    """Return a record: the profile in its first byte, so that tallies are rebuilt without decoding the rest; then
    the epoch."""
    return b"".join((_PROFILES[profile], epoch, _encode(Body(rev, facets))))


def decode_record(value: bytes) -> Body:
    """Return the revision and facets of a record."""
    return _decode_body(value[_BODY:])


def epoch_bytes(epoch: int) -> bytes:
    """Return an epoch (an offset of the changelog) as it stands in records."""
    return epoch.to_bytes(_EPOCH_BYTES, "big")


def epoch_of(value: bytes) -> int:
    """Return the epoch of a record or header."""
    return int.from_bytes(value[1:_BODY], "big")


def with_epoch(value: bytes, epoch: bytes) -> bytes:
    """Return the same record or header as one of another epoch."""
    return b"".join((value[:1], epoch, value[_BODY:]))


NEVER_MS = -(1 << 62)
"""Before every instant that can be told: 0 is one of them, and things are observed before 1970."""


class SourceMark(msgspec.Struct, array_like=True, gc=False):
    """What is known of a source of a facet, in ms since 1970: last sync's start; last confirmation and newest event,
    0 = never."""

    swept_ms: int = NEVER_MS
    confirmed_ms: int = 0
    newest_ms: int = 0

    @property
    def latest_ms(self) -> int:
        """The latest of the three."""
        return max(self.swept_ms, self.confirmed_ms, self.newest_ms)


class Header(msgspec.Struct, array_like=True, gc=False):
    """What a partition knows of a tenant beside its subjects (DESIGN §3)."""

    fingerprint: str = ""
    """Of the criteria and rules that the profiles were computed with."""
    settings_revision: int = 0
    as_of_ms: int = 0
    removed_ms: int = 0
    """The latest removal that was carried out here."""
    first_rev: int = 0
    """Revisions of new subjects begin above it, so that they never restart after a removal."""
    sources: dict[int, dict[str, SourceMark]] = {}
    """By facet number and source."""

    def mark(self, facet: int, source: str) -> SourceMark:
        """Return the mark of a source, made where there is none yet."""
        by_source = self.sources.setdefault(facet, {})
        mark = by_source.get(source)
        if mark is None:
            mark = by_source[source] = SourceMark()
        return mark

    def forget_sources(self, until_ms: int) -> None:
        """Forget the sources that have told nothing since: after a removal they may never come again."""
        for number, by_source in list(self.sources.items()):
            kept = {name: mark for name, mark in by_source.items() if mark.latest_ms > until_ms}
            self.sources[number] = kept
            if not kept:
                del self.sources[number]

    def swept_ms(self, facet: int, source: str) -> int:
        """Return the start of the last completed sync of a source of a facet, NEVER_MS where there is none."""
        mark = self.sources.get(facet, {}).get(source)
        return mark.swept_ms if mark is not None else NEVER_MS


_decode_header = msgspec.msgpack.Decoder(Header).decode


def encode_header(epoch: bytes, header: Header) -> bytes:
    """Return a header's bytes, laid out as a record's so that an epoch is read alike."""
    return b"\x00" + epoch + _encode(header)


def decode_header(value: bytes) -> Header:
    """Return the header of its bytes."""
    return _decode_header(memoryview(value)[_BODY:])


def copy_header(header: Header) -> Header:
    """Return a deep copy."""
    return _decode_header(_encode(header))


def split_key(key: bytes) -> tuple[str, bytes | None]:
    """Return tenant and subject of a state key; the subject is None for a header's key, which is the tenant alone."""
    tenant, slash, subject = key.partition(b"/")
    return tenant.decode(), subject if slash else None
