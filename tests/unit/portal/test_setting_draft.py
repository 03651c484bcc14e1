"""What a page of settings makes of its controls: a body that merges, and each mistake at its control."""

from typing import Any

import pytest

from portal.answers.settings_bodies import check_patch
from portal.problems import Problem
from portal.web.pieces.setting_fields import complaint
from portal.web.pieces.setting_words import SETTINGS, setting_value
from portal.web.settings.setting_draft import mistakes, patch_of, value_at
from schemas.settings import ProviderSettings, TenantSettings


def test_values_by_place_become_a_body_that_merges() -> None:
    changes = {"acquired_licenses": 60, "factors.lifecycle": None, "factors.service_number": False}
    body = {"acquired_licenses": 60, "factors": {"lifecycle": None, "service_number": False}}
    assert body == patch_of(changes)
    assert changes == {path: value_at(body, path) for path in changes}
    assert value_at({"graph": None}, "graph.cloud") is None


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("acquired_licenses", -1),
        ("acquired_licenses", 1.5),
        ("alerts.warning_percent", 2_000),
        ("gateways", ["a" * 254]),
        ("ms_tenant_id", "x" * 65),
        ("criteria.dr_numbers", "(unclosed"),
        ("graph", {"cloud": "global", "template_groups": [""]}),
    ],
)
def test_a_mistake_is_told_at_its_control(place: str, value: object) -> None:
    with pytest.raises(Problem) as refused:
        check_patch("contoso", patch_of({place: value, "display_name": "Contoso"}))
    found = mistakes(refused.value)
    assert complaint(found, place)
    assert complaint(found, "display_name") is None


def test_a_refusal_of_no_place_is_kept() -> None:
    assert {"": "somebody was first"} == mistakes(Problem(422, "somebody was first"))


def test_every_setting_has_a_name() -> None:
    for model in (TenantSettings, ProviderSettings):
        for name, field in model.model_fields.items():
            if name in ("tenant", "revision", "updated_at", "updated_by", "removed_at"):
                continue
            inner = getattr(field.annotation, "model_fields", None)
            places = [f"{name}.{each}" for each in inner] if inner else [name]
            assert [] == [place for place in places if place not in SETTINGS]


def test_values_read_as_text() -> None:
    values: list[Any] = [None, True, 1000, ["a", "b"], []]
    assert ["default", "on", "1,000", "a, b", "default"] == [setting_value("stale_after_s", each) for each in values]


def test_what_has_no_default_is_not_said_to_have_one() -> None:
    assert ["not set", "not set", "default"] == [
        setting_value(path, value)
        for path, value in (("acquired_licenses", None), ("gateways", []), ("factors.lifecycle", None))
    ]
