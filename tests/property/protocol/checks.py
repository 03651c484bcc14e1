"""Owns the promises of the delivery protocol, as assertions on a world that has settled."""

from collections import defaultdict
from itertools import product
from typing import cast

from licensing.criteria import compile_criteria, fingerprint
from licensing.facets import FACETS
from licensing.profile import profile_of
from schemas.changes import SeatChange, Tally
from schemas.count import Count
from streams.protocol.effects import LogRecord
from streams.protocol.meter import MeterPartition
from streams.protocol.owned_log import Recovery
from streams.protocol.record import decode_record
from streams.protocol.state import PartitionState
from tests.property.protocol.expected import Sent
from tests.property.protocol.log import Stored
from tests.property.protocol.processes import message_of
from tests.property.protocol.world import PARTITIONS, World

Chains = dict[tuple[str, str], list[SeatChange]]


def recovered(world: World, partition: int) -> PartitionState:
    """Return the state as a new owner would read it."""
    state = PartitionState()
    Recovery(state.install).apply(cast(list[LogRecord], world.log("meter-state-changelog", partition).read(0)))
    return state


def check_state(world: World, sent: Sent, meters: list[MeterPartition]) -> None:
    """Memory and changelog agree, and both are what the recount says."""
    profiles: dict[str, dict[str, int]] = {tenant: {} for tenant in sent.tenants()}
    for meter in meters:
        afresh = recovered(world, meter.partition)
        assert _contents(meter.state) == _contents(afresh)
        for tenant, state in meter.state:
            tally: dict[int, int] = defaultdict(int)
            for subject, value in state.records.items():
                profiles.setdefault(tenant, {})[subject.decode()] = value[0]
                tally[value[0]] += 1
            assert state.tally == tally
    assert {tenant: sent.profiles(tenant) for tenant in profiles} == profiles


def _contents(state: PartitionState) -> dict[object, object]:
    contents: dict[object, object] = {}
    for tenant, kept in state:
        contents[tenant] = kept.header
        for subject, value in kept.records.items():
            body = decode_record(value)
            contents[tenant, subject] = (value[0], body.rev, body.facets)
    return contents


def check_freshness(world: World, sent: Sent) -> None:
    """What was confirmed and observed is known, of tenants that were never removed."""
    for partition in range(PARTITIONS):
        for tenant, state in recovered(world, partition):
            if tenant in sent.ever_removed:
                continue
            marks = {
                (FACETS[number], source): mark
                for number, by_source in state.header.sources.items()
                for source, mark in by_source.items()
            }
            confirmed = {key[1:]: at_ms for key, at_ms in sent.confirmed.items() if key[0] == tenant}
            assert confirmed == {key: mark.confirmed_ms for key, mark in marks.items() if mark.confirmed_ms}
            newest = {key: mark.newest_ms for key, mark in marks.items() if mark.newest_ms}
            assert sent.newest_ms(tenant, partition) == newest


def check_counts(world: World, sent: Sent) -> None:
    """Whoever keeps the highest (epoch, version) of a tenant has the count that the recount gives."""
    newest: dict[str, Count] = {}
    for _, record in world.everything("license-counts"):
        if record.key is None or record.key.startswith(b"_"):
            continue
        count = Count.model_validate_json(record.value or b"")
        known = newest.get(count.tenant)
        if known is None or (count.epoch, count.version) > (known.epoch, known.version):
            newest[count.tenant] = count
    assert {tenant for tenant in sent.tenants() if tenant in sent.settings or sent.tally(tenant)} == set(newest)
    for tenant, count in newest.items():
        settings = sent.of(tenant)
        assert {str(profile): subjects for profile, subjects in sent.tally(tenant).items()} == count.profiles
        assert (settings.revision, settings.acquired_licenses) == (count.settings_revision, count.acquired_licenses)


def check_tallied(world: World, sent: Sent) -> None:
    """All that a tally counts stands as the criteria want it that the tally names."""
    while world.tallied:
        tally, counted = world.tallied.pop()
        known = [sent.of("nobody"), *(each for (tenant, _), each in sent.revisions.items() if tenant == tally.tenant)]
        settings = next(each for each in known if fingerprint(each) == tally.criteria)
        criteria = compile_criteria(settings)
        for value in counted:
            assert profile_of(decode_record(value).facets, criteria) == value[0], f"half-way: {tally}"


def check_whole(tallies: list[Stored], sent: Sent, count: Count) -> None:
    """A count is the sum of one tally of each partition that has ever told of the tenant, all under its criteria."""
    settings = sent.revisions.get((count.tenant, count.settings_revision)) or sent.of("nobody").model_copy()
    criteria = fingerprint(settings)
    told: dict[int, list[Tally]] = defaultdict(list)
    for record in tallies:
        message = message_of(record)
        if isinstance(message, Tally) and message.tenant == count.tenant:
            told[message.partition].append(message)
    choices = [[tally.profiles for tally in each if tally.criteria == criteria] for each in told.values()]
    sums = []
    for choice in product(*choices):
        total: dict[str, int] = defaultdict(int)
        for profiles in choice:
            for profile, subjects in profiles.items():
                total[profile] += subjects
        sums.append(dict(total))
    assert count.profiles in sums, f"half-way: {count.profiles} under {criteria} is none of {sums}"


def check_versions(taken: list[Count]) -> None:
    """The versions of a tenant only grow in a counter's life."""
    last: dict[str, tuple[int, int]] = {}
    for count in taken:
        assert last.get(count.tenant, (-1, 0)) < (count.epoch, count.version)
        last[count.tenant] = (count.epoch, count.version)


def check_dead_letters(world: World, sent: Sent) -> None:
    """Every bad event is a dead letter with its reason, and nothing else is, but for events of removed tenants."""
    dead: dict[tuple[str, int, int], set[tuple[int, str]]] = defaultdict(set)
    for _, record in world.everything("dead-letters"):
        headers = {name: value.decode() for name, value in record.headers}
        if headers["reason"] != "tenant_removed":
            place = (headers["topic"], int(headers["partition"]), int(headers["offset"]))
            dead[place].add((int(headers["index"]), headers["reason"]))
        else:
            assert any(tenant in (record.value or b"").decode() for tenant in sent.ever_removed)
    assert sent.bad == dead


def chains(world: World) -> Chains:
    """Return each subject's changes as a reader has them: a change makes void what lower epochs told of the subject in
    its revision or a later one, and a new life what they told of one that nobody ended."""
    told: dict[tuple[str, str], dict[int, SeatChange]] = defaultdict(dict)
    for _, record in world.everything("seat-changes"):
        if b'"type":"seat_change"' in (record.value or b""):
            change = SeatChange.model_validate_json(record.value or b"")
            by_rev = told[change.tenant, change.subject]
            known = by_rev.get(change.rev)
            if known is None or known.epoch <= change.epoch:
                by_rev[change.rev] = change
    return {key: _valid([by_rev[rev] for rev in sorted(by_rev)]) for key, by_rev in told.items()}


def _valid(changes: list[SeatChange]) -> list[SeatChange]:
    valid: list[SeatChange] = []
    for change in changes:
        if change.old_profile is None:  # a life that no owner kept before its tenant was removed has no end
            while valid and valid[-1].kind != "removed" and valid[-1].epoch < change.epoch:
                valid.pop()
        if not valid or change.epoch >= valid[-1].epoch:
            valid.append(change)
    return valid


def check_chains(world: World, sent: Sent, strictly: bool) -> None:
    """Each old profile is the new profile of the revision before; a life begins with None, after a removal."""
    told = chains(world)
    for (tenant, _), changes in told.items():
        before: SeatChange | None = None
        for change in changes:
            if change.old_profile is None:
                assert before is None or before.kind == "removed", changes
                assert before is not None or tenant in sent.ever_removed or change.rev == 1, changes
            else:
                assert before is not None, changes
                assert (before.rev + 1, before.new_profile) == (change.rev, change.old_profile), changes
            before = change
        ids = [change.id for change in changes]
        assert len(ids) == len(set(ids)), changes
    for partition in range(PARTITIONS):
        for tenant, state in recovered(world, partition):
            if strictly or tenant not in sent.rules_changed:
                for subject, value in state.records.items():
                    last = told[tenant, subject.decode()][-1]
                    assert (decode_record(value).rev, value[0]) == (last.rev, last.new_profile)
