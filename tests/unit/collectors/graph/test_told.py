"""The memory of what a list told last: news, doubt, and what is gone."""

from collectors.graph.told import Told, gone, merge, note, replace

ADA, BEN = "user:ada", "user:ben"


def read(known: Told, *facts: tuple[str, dict[str, object] | None]) -> tuple[Told, list[bool]]:
    told: Told = {}
    return told, [note(told, known, "voice", subject, each) for subject, each in facts]


def test_the_first_facts_are_news_and_the_same_again_are_not() -> None:
    known: Told = {}
    told, news = read(known, (ADA, {"enterprise_voice": True}))
    assert [True] == news
    replace(known, told, ["voice"])
    assert [False] == read(known, (ADA, {"enterprise_voice": True}))[1]


def test_the_order_of_facts_is_no_news() -> None:
    known: Told = {}
    replace(known, read(known, (ADA, {"a": 1, "b": 2}))[0], ["voice"])
    assert [False] == read(known, (ADA, {"b": 2, "a": 1}))[1]


def test_back_to_the_old_facts_within_a_reading_goes_out_again() -> None:
    known: Told = {}
    replace(known, read(known, (ADA, {"a": 1}))[0], ["voice"])
    told, news = read(known, (ADA, {"a": 2}), (ADA, {"a": 1}))
    assert [True, True] == news
    replace(known, told, ["voice"])
    assert [False] == read(known, (ADA, {"a": 1}))[1]


def test_what_went_out_in_a_reading_that_failed_is_doubted_and_goes_out_again() -> None:
    known: Told = {}
    replace(known, read(known, (ADA, {"a": 1}), (BEN, {"a": 1}))[0], ["voice"])
    read(known, (ADA, {"a": 2}))  # and nobody takes it over
    assert [True, False] == read(known, (ADA, {"a": 1}), (BEN, {"a": 1}))[1]


def test_what_is_doubted_and_gone_is_still_known_to_be_cleared() -> None:
    known: Told = {}
    read(known, (ADA, {"a": 2}))
    assert [ADA] == gone(known, {}, "voice")


def test_a_clear_always_goes_out_and_is_not_told_of() -> None:
    told, news = read({}, (ADA, {"a": 1}), (ADA, None))
    assert [True, True] == news
    assert {"voice": {}} == told


def test_merging_keeps_what_was_not_told_and_replacing_does_not() -> None:
    known: Told = {"voice": {ADA: 1}}
    merge(known, {"voice": {BEN: 2}})
    assert {"voice": {ADA: 1, BEN: 2}} == known
    replace(known, {"voice": {BEN: 2}}, ["voice"])
    assert {"voice": {BEN: 2}} == known
    replace(known, {}, ["voice"])
    assert {"voice": {}} == known
