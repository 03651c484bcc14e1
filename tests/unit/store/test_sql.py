"""The questions as they are sent: nothing of a request stands in them, it is bound."""

import pytest

from portal.store import sparklines
from portal.store.history import carried_sql, pieces_sql
from portal.store.seats import names_sql, seats_sql


def test_a_page_of_counted_seats_is_exactly_this() -> None:
    assert seats_sql(at=False, factor="counted", search=False) == (
        "SELECT subject, profile FROM (SELECT subject, profile FROM subject_profiles FINAL\n"
        "WHERE tenant = {tenant:String} AND kind != 'removed' AND recorded_at > "
        "(SELECT max(at) FROM tenant_settings WHERE tenant = {tenant:String} AND purged) AND NOT ifNull(observed_at <= "
        "(SELECT max(removed_at) FROM tenant_settings WHERE tenant = {tenant:String} AND NOT purged AND removed_at > "
        "(SELECT max(at) FROM tenant_settings WHERE tenant = {tenant:String} AND purged)), false))\n"
        "WHERE subject > {after:String} AND bitAnd(toUInt32(profile), {enabled:UInt32}) != 0\n"
        "ORDER BY subject LIMIT {limit:UInt32}"
    )


def test_a_factor_is_a_bit_that_is_bound_whatever_the_request_calls_it() -> None:
    hostile = "x' OR 1=1 --"
    assert hostile not in seats_sql(at=True, factor=hostile, search=True)
    assert "{factor_bit:UInt32}" in seats_sql(at=True, factor="direct_routing", search=True)


@pytest.mark.parametrize(
    ("table", "unit_s"), [(None, 0), ("license_counts_hourly", 3_600), ("license_counts_daily", 86_400)]
)
def test_every_question_names_its_tenant_for_every_table(table: str | None, unit_s: int) -> None:
    questions = [
        pieces_sql(table, unit_s), carried_sql(table, unit_s), names_sql(at=True), names_sql(at=False),
        *(seats_sql(at=at, factor="all", search=search) for at in (True, False) for search in (True, False)),
    ]  # fmt: skip
    for sql in questions:
        reads = [part.split(None, 1)[0] for part in sql.split("FROM ")[1:] if not part.startswith(("(", "\n"))]
        assert reads
        assert len(reads) <= sql.count("tenant = {tenant:String}"), sql


@pytest.mark.parametrize("sql", [sparklines.pieces_sql("daily"), sparklines.carried_sql("daily")])
def test_the_questions_of_many_tenants_name_them_for_every_table(sql: str) -> None:
    assert 2 == sql.count("FROM daily") + sql.count("FROM license_counts")
    assert 2 == sql.count("tenant IN {tenants:Array(String)}")
