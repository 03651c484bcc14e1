"""The summary stays small whatever a file holds, and can be printed as JSON."""

import asyncio
from dataclasses import asdict
from pathlib import Path

from collectors.importer import ImportOptions, run_import
from collectors.publisher import MemoryPublisher
from collectors.summary import MAX_REMARKS
from tests.unit.collectors.importing import NOW, imported, write

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
