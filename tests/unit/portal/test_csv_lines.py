"""CSV that a spreadsheet opens without computing anything."""

import csv
import io
from typing import Any

import pytest

from portal.answers.csv_lines import csv_lines


@pytest.mark.parametrize("text", ["=1+1", "+15550100", "-2", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("x","y")', "="])
def test_a_text_that_would_be_computed_begins_with_an_apostrophe(text: str) -> None:
    assert [[f"'{text}", "after"]] == read(csv_lines([[text, "after"]]))


@pytest.mark.parametrize("text", [" =1+1", "\u00a0=1", "\ufeff=1", "＝1+1", "＋1", "－1", "＠SUM(A1)"])
def test_blanks_and_wide_signs_hide_no_formula(text: str) -> None:
    assert [[f"'{text}", "after"]] == read(csv_lines([[text, "after"]]))


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("Ana;=cmd|' /C calc'!A0;", "Ana;'=cmd|' /C calc'!A0;"),
        ("Ana; @SUM(A1)", "Ana;' @SUM(A1)"),
        ("Ana\n=1+1", "Ana\n'=1+1"),
        ("=1;=2", "'=1;'=2"),
        ("Ana; Bo", "Ana; Bo"),
    ],
)
def test_no_name_brings_a_cell_of_its_own_where_semicolons_part_cells(text: str, written: str) -> None:
    assert [[written, "after"]] == read(csv_lines([[text, "after"]]))


@pytest.mark.parametrize("text", ["Ana Alba", "number:+15550100", "a=1", "", "'=1", "1-2", "ö@x"])
def test_any_other_text_stays_as_it_is(text: str) -> None:
    assert [[text, "after"]] == read(csv_lines([[text, "after"]]))


@pytest.mark.parametrize(
    ("value", "written"), [(-3, "-3"), (-0.5, "-0.5"), (74.0, "74.0"), (None, ""), (True, "true"), (False, "false")]
)
def test_numbers_stay_numbers_and_nothing_is_empty(value: Any, written: str) -> None:
    assert f"{written},after\r\n" == csv_lines([[value, "after"]])


def test_what_ends_a_cell_or_line_is_quoted() -> None:
    cells = ["a,b", 'say "x"', "two\nlines"]
    assert [cells] == read(csv_lines([cells]))


def read(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))
