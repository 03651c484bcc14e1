"""What the portal keeps of alerts: of each rule and tenant the newest change, whatever comes twice or late."""

from datetime import timedelta

import pydantic
import pytest

from portal.alerts import AlertBook
from schemas.alert import Delivery
from tests.support.made_alerts import alert, resolved
from tests.support.sinking import instant


def test_the_newest_change_of_a_rule_is_kept() -> None:
    book = AlertBook()
    first, newest, other = alert("a", 1), alert("a", 2, level="critical"), alert("a", 3, "stale")
    assert [True, True, True] == [book.put(each) for each in (first, newest, other)]
    assert [newest, other] == list(book.of("a"))
    assert {newest.id, other.id} == {each.id for each in book.newest()}


def test_what_comes_again_or_late_is_no_news() -> None:
    book = AlertBook()
    first, newest = alert("a", 1), resolved("a", 2)
    book.put(first)
    book.put(newest)
    assert [False, False] == [book.put(first), book.put(newest)]
    assert [newest] == list(book.of("a"))


def test_of_two_changes_of_one_instant_the_one_that_came_last_is_the_newest() -> None:
    book = AlertBook()
    book.put(alert("a", 1))
    noted = alert("a", 1, id="noted", change="acknowledged", acknowledged_by="ana")
    assert book.put(noted)
    assert noted == book.open_of("a", "pool")


def test_what_is_over_is_not_open() -> None:
    book = AlertBook()
    book.put(alert("a", 1))
    book.put(resolved("a", 2))
    assert (None, None) == (book.open_of("a", "pool"), book.open_of("b", "pool"))


def test_the_gravest_come_first_and_then_those_that_are_open_for_longest() -> None:
    book = AlertBook()
    late, early, over = alert("a", 9), alert("a", 5, "stale"), resolved("a", 1, "sync_held")
    grave = alert("a", 20, "forecast", level="over")
    for each in (over, late, grave, early):
        book.put(each)
    assert [grave, early, late, over] == list(book.of("a"))


def test_of_a_purged_tenant_that_is_there_again_only_what_came_since_is_kept() -> None:
    book = AlertBook()
    since = alert("a", 9, "stale")
    for each in (alert("a", 1), since, alert("b", 1)):
        book.put(each)
    assert ["pool"] == book.forget("a", instant(5))
    assert [[since], 1] == [list(book.of("a")), len(book.of("b"))]
    assert [False, True] == [book.put(alert("a", 5, "forecast")), book.put(alert("a", 6, "forecast"))]


def test_records_of_the_topic_are_alerts_and_deliveries_of_which_the_first_are_news() -> None:
    book = AlertBook()
    raised = alert("a", 1)
    told = Delivery(id=raised.id, tenant="a", rule="pool", channel="ops", state="delivered", attempts=1,
                    at=instant(1) + timedelta(seconds=1))  # fmt: skip
    taken = [book.take(value) for value in (raised.model_dump_json().encode(), told.model_dump_json().encode(), None)]
    assert [raised, None, None] == taken
    with pytest.raises(pydantic.ValidationError):
        book.take(b"{}")
