"""The promises of the streams, as assertions on what stands in their topics."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from aiokafka import ConsumerRecord

from schemas.changes import SeatChange
from schemas.count import Count
from schemas.topics import TopicName
from streams.protocol.owned_log import Recovery
from streams.protocol.record import CLAIM_PREFIX
from streams.protocol.state import PartitionState
from tests.support.made_events import Expected

Records = Mapping[TopicName, Sequence[ConsumerRecord]]
Chains = dict[tuple[str, str], list[SeatChange]]


def newest_counts(records: Sequence[ConsumerRecord]) -> dict[str, Count]:
    """Return the count of each tenant that counts: the highest (epoch, version)."""
    newest: dict[str, Count] = {}
    for record in records:
        if record.value is None or record.key.startswith(b"_"):
            continue
        count = Count.model_validate_json(record.value)
        known = newest.get(count.tenant)
        if known is None or (count.epoch, count.version) > (known.epoch, known.version):
            newest[count.tenant] = count
    return newest


def check_counts(records: Records, expected: Expected) -> None:
    """The counts are those of a recount, under the settings in force."""
    counts = newest_counts(records["license-counts"])
    assert expected.tenants() == set(counts)
    for tenant, count in counts.items():
        settings = expected.of(tenant)
        assert expected.tally(tenant) == count.profiles, tenant
        assert (settings.revision, settings.acquired_licenses) == (count.settings_revision, count.acquired_licenses)


def recovered(records: Records) -> dict[int, tuple[PartitionState, Recovery]]:
    """Return the state of each partition as its next owner would read it from the changelog."""
    states: dict[int, tuple[PartitionState, Recovery]] = {}
    for record in records["meter-state-changelog"]:
        if record.partition not in states:
            state = PartitionState()
            states[record.partition] = state, Recovery(state.install)
        states[record.partition][1].apply([record])
    return states


def check_state(records: Records, expected: Expected) -> None:
    """The changelog holds what a recount says, and would hold the same when compacted down to the last record a key."""
    profiles: dict[str, dict[str, int]] = {tenant: {} for tenant in expected.tenants()}
    for state, recovery in recovered(records).values():
        assert not recovery.strays, "a dead owner's record is the last of its key"
        for tenant, kept in state:
            for subject, value in kept.records.items():
                profiles.setdefault(tenant, {})[subject.decode()] = value[0]
    assert {tenant: expected.profiles(tenant) for tenant in profiles} == profiles


def seat_changes(records: Sequence[ConsumerRecord]) -> list[SeatChange]:
    """Return the seat changes among the records, each as often as it was told."""
    found = [record.value for record in records if b'"type":"seat_change"' in (record.value or b"")]
    return [SeatChange.model_validate_json(value) for value in found]


def chains(records: Sequence[ConsumerRecord]) -> Chains:
    """Return each subject's changes as a reader has them: once an id, and a change makes void what lower epochs told of
    the subject in its revision or a later one."""
    told: dict[tuple[str, str], dict[int, SeatChange]] = defaultdict(dict)
    for change in seat_changes(records):
        by_rev = told[change.tenant, change.subject]
        known = by_rev.get(change.rev)
        if known is None or known.epoch <= change.epoch:
            by_rev[change.rev] = change
    result: Chains = {}
    for key, by_rev in told.items():
        valid: list[SeatChange] = []
        for rev in sorted(by_rev):
            if not valid or by_rev[rev].epoch >= valid[-1].epoch:
                valid.append(by_rev[rev])
        result[key] = valid
    return result


def check_chains(records: Records, expected: Expected) -> None:
    """Every subject's changes follow each other without a gap, each old profile the new one before, up to the state."""
    told = chains(records["seat-changes"])
    for (tenant, subject), changes in told.items():
        was_removed = expected.of(tenant).removed_at is not None  # then revisions go on above those before the removal
        before: SeatChange | None = None
        for change in changes:
            if before is not None and (before.kind != "removed" or change.old_profile is not None):
                assert (before.rev + 1, before.new_profile) == (change.rev, change.old_profile), f"{subject}: {changes}"
            else:
                assert was_removed or change.rev == 1, f"{subject}: {changes}"
                assert change.old_profile is None, f"{subject}: {changes}"
            before = change
        assert len(changes) == len({change.id for change in changes}), f"{tenant}/{subject}: {changes}"
    last = {key: changes[-1].new_profile for key, changes in told.items() if changes[-1].kind != "removed"}
    profiles = {
        (tenant, subject): profile
        for tenant in expected.tenants()
        for subject, profile in expected.profiles(tenant).items()
    }
    assert profiles == last


def claims(records: Records) -> int:
    """Return how often a partition of the changelog was claimed."""
    return sum(record.key.startswith(CLAIM_PREFIX) for record in records["meter-state-changelog"])


def check_manners(text: str) -> None:
    """What a worker wrote is log lines and nothing else, without leaked tasks."""
    assert "never retrieved" not in text, text
    assert "was destroyed but it is pending" not in text, text
    assert "\x1b" not in text, text
    assert all(line.startswith("{") for line in text.splitlines()), text
