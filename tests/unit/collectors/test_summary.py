"""The summary stays small whatever a file holds, and can be printed as JSON."""

import asyncio
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

import pytest

from collectors.importer import ImportOptions, run_import
from collectors.publisher import MemoryPublisher
from collectors.summary import MAX_REMARKS
from tests.unit.collectors.importing import EXPORTED_AT, NOW, imported, write

HEAD = "Object Id,Licenses\n"


def test_unknown_products_are_told_in_one_note(tmp_path: Path) -> None:
    text = HEAD + "".join(f"u{n},Product {n % 30:02d}\n" for n in range(60))
    summary = imported("m365", write(tmp_path / "m365.csv", text))
    assert {f"Product {n:02d}": 2 for n in range(30)} == summary.unknown_products
    [note] = summary.notes
    assert "'Product 00' (2), " in note
    assert note.endswith("'Product 19' (2) and 10 more")


def test_names_beyond_a_thousand_are_counted_together(tmp_path: Path) -> None:
    text = HEAD + "".join(f"u{n},Product {n}\n" for n in range(MAX_REMARKS + 500))
    summary = imported("m365", write(tmp_path / "m365.csv", text))
    assert MAX_REMARKS + 1 == len(summary.unknown_products)
    assert 500 == summary.unknown_products["others"]


def test_a_summary_is_plain_data(tmp_path: Path) -> None:
    summary = imported("m365", write(tmp_path / "m365.csv", HEAD + "u1,Brand New\nu1,Office 365 E3\nshort\n"))
    plain = asdict(summary)
    assert {"directory": 2, "subscription": 2} == plain["by_facet"]
    assert {"Brand New": 1} == plain["unknown_products"]
    assert (1, 1, 3) == (plain["duplicates"], plain["rejected"], plain["read"])
    assert [(3, "user:u1 has come before; the last row wins")] == [(w["line"], w["reason"]) for w in plain["warnings"]]


@pytest.mark.parametrize(("rows", "told"), [(1, "1 row repeats a subject"), (2, "2 rows repeat a subject")])
def test_repeated_subjects_are_told_in_one_note(tmp_path: Path, rows: int, told: str) -> None:
    summary = imported("m365", write(tmp_path / "m365.csv", HEAD + "u1,\n" + "u1,\n" * rows))
    assert [f"{told} of an earlier row: the last one wins"] == summary.notes


def test_rows_from_up_to_the_removal_of_their_tenant_are_told(tmp_path: Path) -> None:
    path = write(tmp_path / "m365.csv", HEAD + "u1,\nu2,\n")
    summary = imported("m365", path, floor=EXPORTED_AT)
    assert (4, 4, 0) == (summary.published, summary.ignored, summary.ignored_assumed)
    [note] = summary.notes
    assert note.startswith("4 events were observed too early")
    assert "2026-11-24T09:00:00.000Z, when the tenant was removed" in note
    assert "--observed-at" in note
    later = imported("m365", path, floor=EXPORTED_AT, observed_at=EXPORTED_AT + timedelta(milliseconds=1))
    assert (0, []) == (later.ignored, later.notes)


def test_assumed_types_after_a_removal_are_told(tmp_path: Path) -> None:
    path = write(tmp_path / "users.csv", "ObjectId,LineUri,EnterpriseVoiceEnabled\nu1,tel:+15551234567,True\n")
    summary = imported("users", path, floor=EXPORTED_AT - timedelta(hours=1), assume_number_type="operatorConnect")
    assert (0, 1) == (summary.ignored, summary.ignored_assumed)
    assert [note for note in summary.notes if "1 event was assumed by --assume-number-type" in note]
    assert 0 == imported("users", path, assume_number_type="operatorConnect").ignored_assumed


def test_progress_grows_to_the_size_of_all_files(tmp_path: Path) -> None:
    paths = [write(tmp_path / f"{part}.csv", HEAD + "".join(f"{part}{n},\n" for n in range(5_000))) for part in "ab"]
    seen: list[tuple[int, int]] = []
    asyncio.run(
        run_import(
            "m365", paths, ImportOptions(tenant="acme", dry_run=True), publisher=MemoryPublisher(1), partitions=1,
            history=None, now=NOW, on_progress=lambda read, total: seen.append((read, total)),
        )
    )  # fmt: skip
    total = sum(path.stat().st_size for path in paths)
    assert {total} == {of for _, of in seen}
    assert [read for read, _ in seen] == sorted(read for read, _ in seen)
    assert len(seen) > 4
    assert total == seen[-1][0]
