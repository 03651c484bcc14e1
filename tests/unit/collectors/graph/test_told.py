"""The memory of what a list told last: news, doubt, and what is gone."""

from collectors.graph.reading.told import Known, Told, note

ADA, BEN = "user:ada", "user:ben"


def read(known: Known, *facts: tuple[str, dict[str, object] | None]) -> tuple[Told, list[bool]]:
    told: Told = {}
    return told, [note(told, known.told, "voice", subject, each) for subject, each in facts]


def test_the_first_facts_are_news_and_the_same_again_are_not() -> None:
    known = Known()
    told, news = read(known, (ADA, {"enterprise_voice": True}))
    assert [True] == news
    known.replace(told, ["voice"], synced=False)
    assert [False] == read(known, (ADA, {"enterprise_voice": True}))[1]


def test_the_order_of_facts_is_no_news() -> None:
    known = Known()
    known.replace(read(known, (ADA, {"a": 1, "b": 2}))[0], ["voice"], synced=False)
    assert [False] == read(known, (ADA, {"b": 2, "a": 1}))[1]


def test_back_to_the_old_facts_within_a_reading_goes_out_again() -> None:
    known = Known()
    known.replace(read(known, (ADA, {"a": 1}))[0], ["voice"], synced=False)
    told, news = read(known, (ADA, {"a": 2}), (ADA, {"a": 1}))
    assert [True, True] == news
    known.replace(told, ["voice"], synced=False)
    assert [False] == read(known, (ADA, {"a": 1}))[1]


def test_what_went_out_in_a_reading_that_failed_is_doubted_and_goes_out_again() -> None:
    known = Known()
    known.replace(read(known, (ADA, {"a": 1}), (BEN, {"a": 1}))[0], ["voice"], synced=False)
    read(known, (ADA, {"a": 2}))  # and nobody takes it over
    assert [True, False] == read(known, (ADA, {"a": 1}), (BEN, {"a": 1}))[1]


def test_what_is_doubted_and_gone_is_still_known_to_be_cleared() -> None:
    known = Known()
    read(known, (ADA, {"a": 2}))
    assert [ADA] == known.gone({}, "voice")


def test_a_clear_always_goes_out_and_is_not_told_of() -> None:
    told, news = read(Known(), (ADA, {"a": 1}), (ADA, None))
    assert [True, True] == news
    assert {"voice": {}} == told


def test_merging_keeps_what_was_not_told_and_replacing_does_not() -> None:
    known = Known({"voice": {ADA: 1}})
    known.merge({"voice": {BEN: 2}})
    assert {"voice": {ADA: 1, BEN: 2}} == known.told
    known.replace({"voice": {BEN: 2}}, ["voice"], synced=False)
    assert {"voice": {BEN: 2}} == known.told
    known.replace({}, ["voice"], synced=False)
    assert {"voice": {}} == known.told


def test_a_reading_is_compared_with_the_last_sync_and_with_the_last_reading() -> None:
    known = Known()
    known.replace({"voice": {ADA: 1, BEN: 2}}, ["voice"], synced=True)
    known.replace({"voice": {ADA: 1}}, ["voice"], synced=False)
    assert 2 == known.before("voice")
    known.replace({"voice": {f"user:{number}": 1 for number in range(5)}}, ["voice"], synced=False)
    assert 5 == known.before("voice")
