"""A forgotten subject leaves no trace of name, id or number in any table, and every figure of the past as it was."""

import msgspec
import pytest

from portal.store.snapshot import TABLES, snapshot
from portal.store.store import ClickHouseStore
from runtime.clickhouse.pool import ClientPool
from runtime.clickhouse.reload import latest_facets
from schemas.count import Cause
from streams.sink import processors
from streams.sink.clickhouse import ClickHouseRows
from streams.sink.counts import CountLedger
from tests.support.sinking import change, count, count_record, instant

PERSONAL = (b"ann", b"15550100", b"ada1e5f0")
ANN = "user:ann-4711"
AT = instant(100)


@pytest.fixture
def told(rows: ClickHouseRows) -> ClickHouseRows:
    """Ann came, was counted and left; Ben stays."""
    facts = ('{"display_name":"Ann Ady","user_principal_name":"ann@contoso.example"}', '{"number":"+15550100"}', "", "")
    ids = (("directory", 0, 0), ("phone_number", 0, 1), ("phone_number", 1, 0), ("directory", 0, 0))
    for rev, (text, (facet, old, new)) in enumerate(zip(facts, ids, strict=True), 1):
        row = change(ANN, rev, facet=facet, facts=text, facts_hash="ada1e5f0" * 4, old_profile=old, new_profile=new)
        rows.insert("seat_changes", [msgspec.json.encode(row)])
    rows.insert(
        "seat_changes", [msgspec.json.encode(change("user:ben", 1, facts='{"display_name":"Ben"}', new_profile=1))]
    )
    counted = count("contoso", 1, instant(3), 1, cause=Cause(kind="users", subjects_lost=1, example=ANN))
    for batch in processors.license_counts([count_record(counted)], CountLedger()).batches:
        rows.insert(batch.table, batch.lines)
    return rows


def everything(pool: ClientPool) -> bytes:
    return b"\n".join(row for table in TABLES for block in snapshot(pool, table) for row in block).lower()


def figures(store: ClickHouseStore) -> list[dict[int, int]]:
    """Return the tallies as they were second by second."""
    return [{profile: n for profile, n in store.tally("contoso", instant(at)).items() if profile} for at in range(6)]


def test_nothing_personal_is_left_and_the_figures_are(
    pool: ClientPool, told: ClickHouseRows, store: ClickHouseStore
) -> None:
    before = figures(store)
    assert {1: 2} in before, "Ann was counted beside Ben"
    assert all(text in everything(pool) for text in PERSONAL)
    erased = store.erase("contoso", ANN, store.last_rev("contoso", ANN), AT)
    assert [] == [text for text in PERSONAL if text in everything(pool)]
    assert before == figures(store)
    assert (4, True) == (erased.changes, erased.pseudonym.startswith("user:forgotten-"))
    chain = store.profile_changes("contoso", [erased.pseudonym], None)
    assert [(0, 0), (0, 1), (1, 0), (0, 0), (0, 0)] == [(each.old_profile, each.new_profile) for each in chain]
    assert {"user:ben": 1} == store.profiles("contoso"), "what is recorded now agrees with the facts"
    assert ["user:ben"] == [each.subject for each in latest_facets(pool) if each.facets]
    assert 0 == store.last_rev("contoso", ANN)


def test_a_number_is_forgotten_as_a_number(pool: ClientPool, told: ClickHouseRows, store: ClickHouseStore) -> None:
    subject = "number:+15550100"
    told.insert("seat_changes", [msgspec.json.encode(change(subject, 1, facet="dial_plan", facts="", new_profile=0))])
    pseudonym = store.erase("contoso", subject, 1, AT).pseudonym
    assert pseudonym.startswith("number:*")
    assert subject.encode() not in everything(pool)
    assert [pseudonym] == [s.subject for s in store.seats(
        "contoso", at=instant(5), enabled=31, factor="all", search=None, after="", limit=9
    ) if s.subject.startswith("number:")]  # fmt: skip


def test_a_crash_on_the_way_ends_in_one_pseudonym(
    pool: ClientPool, told: ClickHouseRows, store: ClickHouseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.store.erasure._TABLES", ("seat_facets", "no_such_table"))
    with pytest.raises(Exception, match="no_such_table"):
        store.erase("contoso", ANN, 4, AT)
    monkeypatch.undo()
    pseudonym = store.erase("contoso", ANN, 4, AT).pseudonym
    chain = store.profile_changes("contoso", [pseudonym], None)
    assert [1, 2, 3, 4, 5] == [each.rev for each in chain]
    assert 1 == everything(pool).count(b'"subject":"%s","rev":5' % pseudonym.encode()) - 1, "in changes and profiles"
    assert b"ann" not in everything(pool)


def test_what_was_told_meanwhile_stays(pool: ClientPool, told: ClickHouseRows, store: ClickHouseStore) -> None:
    told.insert("seat_changes", [msgspec.json.encode(change(ANN, 5, facts='{"display_name":"Ann"}', new_profile=1))])
    pseudonym = store.erase("contoso", ANN, 4, AT).pseudonym
    chain = store.profile_changes("contoso", [pseudonym], None)
    assert [(1, 0), (2, 1), (3, 0), (4, 0), (5, 0)] == [(each.rev, each.new_profile) for each in chain]
    assert [5] == [each.rev for each in store.profile_changes("contoso", [ANN], None)]
    assert {ANN: 1, "user:ben": 1} == store.profiles("contoso")
    (found,) = [each for each in latest_facets(pool) if each.subject == ANN]
    assert (5, ["directory"]) == (found.rev, [facet.facet for facet in found.facets])
