"""The data set of the bench: seeded events of all facets on the subjects of a hundred tenants, and their settings."""

from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass, field
from itertools import accumulate
from random import Random

from schemas.events import FACTS
from schemas.identifiers import partition_of, subject_key
from schemas.settings import Criteria, TenantSettings
from schemas.times import format_ms
from schemas.topics import TopicName
from tests.bench.facts import LINE_FACETS, PERSON_FACETS, Site, facts_of

PARTITIONS = 8
TENANTS = 100
ARRAY_EVENTS = 250
SEED = 7
_START_MS = 1_735_689_600_000  # 2025: no event lies ahead of the record that carries it
_LINES = 0.05
_OF_KNOWN = (("repeated", 0.70), ("changed", 0.95), ("late", 0.98), ("duplicate", 1.0))
"""What an event of a facet that is known already is, by cumulative share."""

Place = tuple[TopicName, int]
"""Topic and partition."""
Record = tuple[bytes, bytes]
"""Key and value."""


@dataclass
class DataSet:
    """Events in order, by topic and partition, one JSON event a record. `kinds`: how many were what."""

    settings: list[TenantSettings]
    records: dict[Place, list[Record]] = field(default_factory=dict)
    kinds: Counter[str] = field(default_factory=Counter)
    subjects: int = 0

    @property
    def events(self) -> int:
        """How many events there are."""
        return self.kinds.total()

    def arrays(self) -> dict[Place, list[Record]]:
        """Return the same events in arrays of 250, each under the key of its first."""
        return {
            place: [_array(records[start : start + ARRAY_EVENTS]) for start in range(0, len(records), ARRAY_EVENTS)]
            for place, records in self.records.items()
        }

    def shares(self) -> str:
        """Say in words what the events are."""
        parts = (f"{100 * number / self.events:.0f} % {kind}" for kind, number in self.kinds.most_common())
        return (
            f"{self.events:,} events on {self.subjects:,} subjects of {len(self.settings)} tenants: {', '.join(parts)}"
        )


def _array(records: list[Record]) -> Record:
    return records[0][0], b"[" + b",".join(value for _, value in records) + b"]"


def make(events: int) -> DataSet:
    """Return so many events on about a third as many subjects; the same for the same number."""
    rng = Random(SEED)
    sites = [Site(f"tenant-{number:03d}", rng) for number in range(TENANTS)]
    data = DataSet([_settings(site, rng) for site in sites])
    ends = list(accumulate(rng.lognormvariate(0, 1.1) for _ in sites))
    population = events // 3
    salt = rng.getrandbits(64)
    drawn: dict[int, dict[str, tuple[int, str, bytes]]] = {}
    for number in range(events):
        index = rng.randrange(population)
        site = sites[bisect_right(ends, index / population * ends[-1])]
        is_line = index % 100 < _LINES * 100
        facet = rng.choices(*(LINE_FACETS if is_line else PERSON_FACETS))[0]
        known = drawn.setdefault(index, {})
        subject = f"number:+1555{index:07d}" if is_line else f"user:{_uuid(index, salt)}"
        kind, observed_ms, facts, value = _event(rng, site, subject, facet, known.get(facet), _START_MS + number)
        known[facet] = (observed_ms, facts, value)
        data.kinds[kind] += 1
        key = subject_key(site.tenant, subject)
        topic: TopicName = "user-changes" if facet in ("directory", "interface") else "assignments"
        data.records.setdefault((topic, partition_of(key, PARTITIONS)), []).append((key, value))
    data.subjects = len(drawn)
    return data


def _event(
    rng: Random, site: Site, subject: str, facet: str, known: tuple[int, str, bytes] | None, now_ms: int
) -> tuple[str, int, str, bytes]:
    kind, at_ms = "first", now_ms
    facts = ""
    if known is not None:
        draw = rng.random()
        kind = next(name for name, limit in _OF_KNOWN if draw < limit)
        if kind == "duplicate":
            return kind, *known
        facts = known[1]
        if kind == "late":
            at_ms = known[0] - 1
    if not facts or kind == "changed":
        facts = "null" if rng.random() < 0.01 else facts_of(facet, site, subject, rng)
    text = (
        f'{{"type":"{facet}","tenant":"{site.tenant}","subject":"{subject}","observed_at":"{format_ms(at_ms)}",'
        f'"source":"{"graph" if facet in _GRAPH else "dial-plan-file"}","facts":{facts}}}'
    )
    return kind, at_ms, facts, text.encode()


_GRAPH = FACTS.keys() - {"dial_plan"}


def _uuid(index: int, salt: int) -> str:
    digits = f"{(index * 0x9E3779B97F4A7C15 + salt) % 2**64:016x}{index:016x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def _settings(site: Site, rng: Random) -> TenantSettings:
    criteria = Criteria()
    if rng.random() < 0.3:
        criteria = Criteria(
            licensed_users_by_gateway=r"^sbc[0-9]+\..*\.example$", reject_service_numbers="(?i)^(fax|lift)$"
        )
    return TenantSettings(
        tenant=site.tenant, display_name=site.tenant.title(), acquired_licenses=rng.randrange(100, 10_000, 50),
        criteria=criteria, gateways=list(site.gateways), ms_tenant_id=_uuid(rng.getrandbits(40), 1),
        customer_guid=_uuid(rng.getrandbits(40), 2), revision=1,
    )  # fmt: skip
