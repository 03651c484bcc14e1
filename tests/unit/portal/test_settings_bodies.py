"""Bodies of settings: what is taken, and what is said of what is not."""

from typing import Any

import pytest

from portal.answers.settings_bodies import check_patch, check_put, settings_diff
from portal.problems import Problem
from schemas.settings import TenantSettings


def test_what_get_gives_can_be_put() -> None:
    given = TenantSettings(tenant="acme", revision=17, acquired_licenses=500, updated_by="ana").model_dump(mode="json")
    body = check_put("acme", given)
    assert body["acquired_licenses"] == 500
    assert not {"tenant", "revision", "updated_at", "updated_by", "removed_at"} & body.keys()


def test_a_null_in_a_patch_is_handed_on_as_the_default() -> None:
    body = {"service_type": None, "factors": {"lifecycle": None}, "gateways": None, "display_name": "Acme"}
    assert check_patch("acme", body) == body


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ([], "settings are a JSON object, not list"),
        ({"tenant": "other"}, "the body names 'other' and the path 'acme'"),
        ({"acquired_licenses": -1}, "acquired_licenses: Input should be greater than or equal to 0"),
        ({"acquired_licenses": "500"}, "acquired_licenses: Input should be a valid integer"),
        ({"pool": 500}, "pool: no such setting"),
        ({"pool": None}, "pool: no such setting"),
        ({"factors": {"direct_routing": False}}, "direct_routing cannot be switched"),
        ({"criteria": {"dr_numbers": "(?=a)"}}, "dr_numbers"),
        ({"criteria": {"dr_numbers": "a" * 10_000}}, "criteria.dr_numbers: String should have at most 1000"),
        ({"service_type": "gold"}, "service_type: Input should be 'ump_365'"),
    ],
)
@pytest.mark.parametrize("check", [check_put, check_patch])
def test_a_mistake_is_told_by_the_name_of_the_setting(check: Any, body: Any, said: str) -> None:
    with pytest.raises(Problem) as caught:
        check("acme", body)
    assert caught.value.status == 422
    assert said in caught.value.detail


def test_the_provider_has_no_pool() -> None:
    with pytest.raises(Problem, match="acquired_licenses: no such setting"):
        check_patch("_provider", {"acquired_licenses": 5})
    assert check_patch("_provider", {"factors": {"lifecycle": False}}) == {"factors": {"lifecycle": False}}


def test_a_difference_names_the_setting_and_both_values() -> None:
    before = {"acquired_licenses": 500, "factors": {"lifecycle": None}, "revision": 1}
    after = {"acquired_licenses": 500, "factors": {"lifecycle": False}, "revision": 2, "gateways": ["sbc"]}
    assert settings_diff(before, after) == [
        {"setting": "factors.lifecycle", "from": None, "to": False},
        {"setting": "gateways", "from": None, "to": ["sbc"]},
    ]
