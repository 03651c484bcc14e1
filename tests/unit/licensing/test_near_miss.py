"""Which dial-plan tags look mistyped."""

import pytest

from licensing.near_miss import near_misses, suspicious_tags
from schemas.settings import Criteria, TenantSettings

GATEWAY = "sbc1.contoso.example"
GUID = "5d2f3a4b-0000-4000-8000-0123456789ab"


@pytest.mark.parametrize(
    "tag",
    [
        "sbc2.contoso.example",  # another character
        "sbc.contoso.example",  # one missing
        "sbc11.contoso.example",  # one too many
        "sbc1.contoso.exmaple",  # neighbours swapped
        "SBC2.Contoso.Example",
        "DR_sbc2.contoso.example_Berlin",  # inside the tag
        "bc1.contoso.example",  # the first missing
        "sbc1.contoso.exampl",  # the last missing
    ],
)
def test_a_tag_one_character_away_from_a_gateway_is_a_near_miss(tag: str) -> None:
    assert [GATEWAY] == near_misses(tag, ["other.example", GATEWAY])


@pytest.mark.parametrize(
    "tag",
    [
        GATEWAY,
        f"DR_{GATEWAY}_Berlin",
        "sbc22.contoso.example.net",  # two characters
        "sbc1.fabrikam.example",
        "",
        "Berlin fax",
    ],
)
def test_a_tag_that_holds_the_gateway_or_is_further_away_is_none(tag: str) -> None:
    assert [] == near_misses(tag, [GATEWAY])


def test_an_id_with_one_character_too_many_is_missed_although_the_tag_holds_it() -> None:
    assert [GUID] == near_misses(f"{GUID}1", [GUID])


def test_a_short_name_is_not_looked_for_inside_a_tag() -> None:
    assert ["sbc"] == near_misses("sbd", ["sbc"])
    assert [] == near_misses("a sbd in Berlin", ["sbc"])


def test_tags_that_meet_a_criterion_are_not_suspicious() -> None:
    settings = TenantSettings(
        tenant="contoso",
        gateways=[GATEWAY, "sbc2.contoso.example"],
        ms_tenant_id=GUID,
        criteria=Criteria(reject_service_numbers="^sbc4"),
    )
    tags = ["sbc2.contoso.example", "sbc3.contoso.example", "sbc4.contoso.example", GUID, GUID[:-1], "fax"]
    assert {
        "sbc3.contoso.example": [GATEWAY, "sbc2.contoso.example"],
        GUID[:-1]: [GUID],
    } == suspicious_tags(tags, settings)


def test_without_gateways_and_ids_no_tag_is_suspicious() -> None:
    assert {} == suspicious_tags(["sbc1"], TenantSettings(tenant="contoso"))
