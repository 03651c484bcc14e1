"""Settings commands: the next revision or a refusal in words; and the book that keeps revisions."""

from typing import Any

import pytest

from licensing.criteria import fingerprint
from schemas.commands import ChangeSettings
from schemas.merge_patch import merge
from schemas.settings import ProviderSettings, Settings, TenantSettings
from schemas.times import from_ms
from streams.protocol.settings_book import SettingsBook
from streams.protocol.settings_commands import decide
from tests.unit.protocol.bench import NOW_MS


def command(mode: Any, body: dict[str, Any] | None = None, **other: Any) -> ChangeSettings:
    fields = {"id": "c1", "tenant": "acme", "by": "ana@msp.example", "sent_at": from_ms(NOW_MS), "mode": mode}
    return ChangeSettings.model_validate(fields | {"body": body or {}} | other)


def decided(current: Settings | None, change: ChangeSettings, now_ms: int = NOW_MS) -> TenantSettings:
    settings, answer = decide(current, change, now_ms)
    assert ("done", None if settings is None else settings.revision) == (answer.status, answer.revision)
    assert isinstance(settings, TenantSettings)
    return settings


def refused(current: Settings | None, change: ChangeSettings) -> tuple[str, str]:
    settings, answer = decide(current, change, NOW_MS)
    assert settings is None
    return answer.status, answer.detail


def test_a_put_replaces_and_stamps_the_next_revision() -> None:
    first = decided(None, command("put", {"acquired_licenses": 5, "gateways": ["g1"]}))
    second = decided(first, command("put", {"acquired_licenses": 6}), NOW_MS + 1)
    assert (1, 2) == (first.revision, second.revision)
    assert (6, [], "ana@msp.example") == (second.acquired_licenses, second.gateways, second.updated_by)
    assert from_ms(NOW_MS + 1) == second.updated_at


def test_a_patch_merges_and_null_takes_away() -> None:
    first = decided(None, command("put", {"acquired_licenses": 5, "factors": {"lifecycle": True}}))
    second = decided(first, command("patch", {"acquired_licenses": None, "factors": {"service_number": False}}))
    assert (None, True, False) == (
        second.acquired_licenses,
        second.factors.lifecycle,
        second.factors.service_number,
    )


def test_what_get_gives_can_be_put() -> None:
    first = decided(None, command("put", {"acquired_licenses": 5}))
    second = decided(first, command("put", first.model_dump(mode="json")))
    assert (2, 5) == (second.revision, second.acquired_licenses)


def test_the_stamp_grows_even_where_the_clock_stands_still() -> None:
    first = decided(None, command("put"))
    second = decided(first, command("put"))
    assert first.updated_at is not None
    assert second.updated_at is not None
    assert first.updated_at < second.updated_at


def test_a_removal_keeps_the_settings_and_becomes_a_floor_when_the_tenant_is_set_again() -> None:
    first = decided(None, command("put", {"acquired_licenses": 5}))
    removed = decided(first, command("remove"), NOW_MS + 10)
    again = decided(removed, command("patch", {"acquired_licenses": 6}), NOW_MS + 20)
    assert (True, from_ms(NOW_MS + 10), 5) == (removed.is_removed, removed.removed_at, removed.acquired_licenses)
    assert (False, from_ms(NOW_MS + 10), 6) == (again.is_removed, again.removed_at, again.acquired_licenses)


def test_setting_again_in_the_same_millisecond_is_no_removal() -> None:
    removed = decided(None, command("remove"))
    assert not decided(removed, command("put")).is_removed


def test_a_body_cannot_set_the_stamps() -> None:
    body = {"revision": 99, "updated_by": "eve", "removed_at": "2020-01-01T00:00:00Z", "updated_at": None}
    settings = decided(None, command("put", body))
    assert (1, "ana@msp.example", None) == (settings.revision, settings.updated_by, settings.removed_at)


def test_a_lost_race_is_a_conflict_that_names_both_revisions() -> None:
    first = decided(None, command("put"))
    assert ("conflict", "the settings are at revision 1, not 7") == refused(first, command("put", if_match=7))
    assert 2 == decided(first, command("put", if_match=1)).revision


def test_a_body_for_another_tenant_is_refused() -> None:
    status, detail = refused(None, command("put", {"tenant": "beta"}))
    assert ("invalid", "the body names 'beta', the command 'acme'") == (status, detail)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"criteria": {"dr_numbers": "("}}, "dr_numbers"),
        ({"criteria": {"dr_numbers": "(?=x)"}}, "look-around"),
        ({"criteria": {"dr_numbers": "x" * 1_001}}, "criteria.dr_numbers"),
        ({"acquired_licenses": -1}, "acquired_licenses"),
        ({"acquired_licenses": "5"}, "given: '5'"),
        ({"no_such_key": 1}, "no_such_key"),
        ({"factors": {"direct_routing": False}}, "factors.direct_routing"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_place(body: dict[str, Any], words: str) -> None:
    status, detail = refused(None, command("put", body))
    assert "invalid" == status
    assert words in detail


def test_the_provider_has_settings_of_its_own_kind() -> None:
    settings, _ = decide(None, command("put", {"factors": {"lifecycle": False}}, tenant="_provider"), NOW_MS)
    assert isinstance(settings, ProviderSettings)
    assert "invalid" == refused(None, command("put", {"gateways": ["g"]}, tenant="_provider"))[0]


def test_a_merge_patch_follows_rfc_7396() -> None:
    assert {"a": {"c": 2}, "d": [1]} == merge({"a": {"b": 1}}, {"a": {"b": None, "c": 2}, "d": [1]})
    assert {"a": {"b": 1}} == merge({"a": "text"}, {"a": {"b": 1, "c": None}})


def test_a_book_keeps_the_later_revision_whatever_comes_last() -> None:
    book = SettingsBook()
    first = decided(None, command("put", {"acquired_licenses": 1}))
    second = decided(first, command("put", {"acquired_licenses": 2}))
    values = [each.model_dump_json().encode() for each in (second, first)]
    assert ["acme", None] == [book.apply(b"acme", value) for value in values]
    assert 2 == book.rules_of("acme").settings.acquired_licenses


def test_a_book_keeps_what_it_knew_where_a_record_is_none() -> None:
    book = SettingsBook()
    book.apply(b"acme", decided(None, command("put", {"acquired_licenses": 1})).model_dump_json().encode())
    with pytest.raises(ValueError, match="the settings of acme cannot be used and stay as they were"):
        book.apply(b"acme", b'{"tenant":"acme","criteria":{"dr_numbers":"("},"revision":9}')
    assert 1 == book.rules_of("acme").settings.acquired_licenses
    assert ["acme", None] == [book.apply(b"acme", None), book.apply(b"acme", None)]
    assert 0 == book.rules_of("acme").revision


NEWER = b'{"tenant":"acme","revision":3,"colour":"red","acquired_licenses":7,"alerts":{"dwell_s":9,"tone":"low"}}'


def test_settings_of_a_newer_version_are_read_and_what_is_not_known_of_them_is_kept() -> None:
    book = SettingsBook()
    assert "acme" == book.apply(b"acme", NEWER)
    known = book.get("acme")
    assert isinstance(known, TenantSettings)
    assert (3, 7, 9) == (known.revision, known.acquired_licenses, known.alerts.dwell_s)
    assert NEWER == book.written("acme"), "what has to be written again is written whole"
    assert book.rules_of("acme").fingerprint == fingerprint(TenantSettings(tenant="acme"))
    provider = b'{"tenant":"_provider","revision":1,"colour":"red","stale_after_s":60}'
    assert "_provider" == book.apply(b"_provider", provider)
    assert 60 == book.provider.stale_after_s


def test_settings_of_a_newer_version_are_changed_by_it_alone_and_removed_by_any() -> None:
    book = SettingsBook()
    book.apply(b"acme", NEWER)
    current = book.get("acme")
    status, said = refused(current, command("patch", {"acquired_licenses": 8}))
    assert "invalid" == status
    assert "have alerts.tone, colour, which this version does not know" in said
    removed = decided(current, command("remove"))
    assert (7, True) == (removed.acquired_licenses, removed.is_removed)
    assert "invalid" == refused(current, command("put", {"colour": "red"}))[0], "on the way in nothing unknown is taken"
