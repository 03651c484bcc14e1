"""The test data, imported and counted by the rules, give what was counted by hand (tests/data/README.md)."""

from collections import Counter
from pathlib import Path

import pytest

from collectors.importer import ImportKind
from collectors.publisher import MemoryPublisher
from collectors.simulator import contoso
from licensing.factors import ALL, DR_PHONE, LICENSED, LOADED, counted_factor
from schemas.settings import TenantSettings
from tests.unit.collectors.importing import EXPORTED_AT, events_of, imported, profiles_of, rejections_by_the_meter

VENDOR_FILES: tuple[tuple[ImportKind, str], ...] = (
    ("users", "users.csv"),
    ("numbers", "numbers.csv"),
    ("dial-plan", "dialplan.csv"),
    ("events", "interface.jsonl"),
)


def counted(profiles: dict[str, int]) -> dict[str, int]:
    factors = (counted_factor(profile, ALL) for profile in profiles.values())
    return dict(Counter(factor.name for factor in factors if factor is not None))


def imported_folder(folder: Path, tenant: str, *kinds: tuple[ImportKind, str]) -> MemoryPublisher:
    publisher = MemoryPublisher(8)
    for kind, name in kinds:
        observed_at = None if kind == "events" else EXPORTED_AT
        summary = imported(kind, folder / name, publisher=publisher, tenant=tenant, observed_at=observed_at)
        assert not summary.rejected
    assert not rejections_by_the_meter(publisher)
    return publisher


@pytest.mark.parametrize(("gateways", "numbers", "total"), [(["sbc1.acme.example"], 6, 12), ([], 8, 14)])
def test_acme_is_counted_as_by_hand(repository: Path, gateways: list[str], numbers: int, total: int) -> None:
    publisher = imported_folder(
        repository / "tests/data/acme", "acme",
        ("users", "users.csv"), ("numbers", "numbers.csv"), ("dial-plan", "dialplan.csv"), ("m365", "m365.csv"),
    )  # fmt: skip
    profiles = profiles_of(events_of(publisher), TenantSettings(tenant="acme", gateways=gateways))
    figures = counted(profiles)
    assert {"direct_routing": 4, "operator_connect": 2, "service_number": numbers} == figures
    assert total == sum(figures.values())
    assert 8 == sum(bool(profile & LOADED) for profile in profiles.values())
    assert 10 == sum(bool(profile & LICENSED) for profile in profiles.values())
    assert 3 == sum(bool(profile & DR_PHONE) for profile in profiles.values())


def test_acme_users_alone_have_nine_numbers_of_unknown_type(repository: Path) -> None:
    summary = imported("users", repository / "tests/data/acme/users.csv", observed_at=EXPORTED_AT)
    assert 9 == summary.number_type_unknown


def test_acme_has_one_product_that_no_table_knows(repository: Path) -> None:
    summary = imported("m365", repository / "tests/data/acme/m365.csv", observed_at=EXPORTED_AT)
    assert {"Acme Learning Suite": 1} == summary.unknown_products


def test_the_vendors_example_comes_out_of_its_files(repository: Path) -> None:
    publisher = imported_folder(repository / "tests/data/vendor", "contoso", *VENDOR_FILES)
    profiles = profiles_of(events_of(publisher), contoso.settings())
    figures = counted(profiles)
    assert {"direct_routing": 200, "operator_connect": 100, "user_interface": 50, "service_number": 20} == figures
    assert (370, 130) == (sum(figures.values()), contoso.POOL - sum(figures.values()))


def test_the_demo_contoso_is_the_same_tenant_as_its_files(repository: Path) -> None:
    files = imported_folder(repository / "tests/data/vendor", "contoso", *VENDOR_FILES)
    from_files = profiles_of(events_of(files), contoso.settings())
    from_demo = profiles_of(list(contoso.events(EXPORTED_AT)), contoso.settings())
    assert {s: p & ALL for s, p in from_files.items()} == {s: p & ALL for s, p in from_demo.items()}
    assert contoso.tally() == Counter(from_demo.values())
