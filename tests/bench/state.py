"""A full changelog as the meter writes it: a header a tenant and partition, one record a subject with four facets."""

from random import Random

from licensing.criteria import compile_criteria
from licensing.facets import (
    DIRECTORY,
    IS_DIRECT_ROUTING,
    LICENSED,
    LIVE,
    PHONE_NUMBER,
    RANK_BYTES,
    SUBSCRIPTION,
    TEAMS_PHONE,
    VOICE,
    VOICE_ON,
    Facet,
)
from licensing.profile import profile_of
from schemas.identifiers import partition_of
from schemas.settings import TenantSettings
from streams.protocol.record import Header, encode_header, encode_record, epoch_bytes
from tests.bench.events import PARTITIONS, Place, Record

_AT_MS = 1_735_689_600_000


def changelog(subjects: int, settings: list[TenantSettings]) -> dict[Place, list[Record]]:
    """Return the records of so many subjects, spread evenly over tenants; the same for the same arguments."""
    rng = Random(subjects)
    places: dict[Place, list[Record]] = {("meter-state-changelog", number): [] for number in range(PARTITIONS)}
    for each in settings:
        header = Header(compile_criteria(each).fingerprint, each.revision, _AT_MS)
        for facet in (DIRECTORY, SUBSCRIPTION, VOICE, PHONE_NUMBER):
            header.mark(facet, "graph").newest_ms = _AT_MS
        for records in places.values():
            records.append((each.tenant.encode(), encode_header(epoch_bytes(0), header)))
    for number in range(subjects):
        owner = settings[number % len(settings)]
        facets = _facets(owner, number, rng)
        value = encode_record(profile_of(facets, compile_criteria(owner)), epoch_bytes(0), 4, facets)
        key = f"{owner.tenant}/user:{number:08x}-9a3a-4609-a000-{rng.getrandbits(48):012x}".encode()
        places["meter-state-changelog", partition_of(key, PARTITIONS)].append((key, value))
    return places


def _facets(owner: TenantSettings, number: int, rng: Random) -> list[Facet]:
    def facet(kind: int, flags: int, text: str = "") -> Facet:
        return Facet(kind, _AT_MS + number, rng.randbytes(RANK_BYTES), "graph", LIVE | flags, text)

    return [
        facet(DIRECTORY, 0),
        facet(SUBSCRIPTION, LICENSED | TEAMS_PHONE),
        facet(VOICE, VOICE_ON, owner.gateways[number % len(owner.gateways)]),
        facet(PHONE_NUMBER, IS_DIRECT_ROUTING if number % 3 else 0),
    ]
