"""Whatever a spreadsheet or PowerShell did to an export, its rows are the same."""

from collections.abc import Callable
from pathlib import Path

import pytest

from collectors.publisher import MemoryPublisher
from tests.unit.collectors.importing import EXPORTED_AT, facts_of, imported, rejections_by_the_meter, write

Variant = Callable[[str], bytes]

VARIANTS: dict[str, Variant] = {
    "UTF-8 with BOM": lambda text: text.encode("utf-8-sig"),
    "UTF-16 with BOM": lambda text: text.encode("utf-16"),
    "UTF-16 big-endian with BOM": lambda text: b"\xfe\xff" + text.encode("utf-16-be"),
    "UTF-16 without BOM": lambda text: text.encode("utf-16-le"),
    "UTF-16 big-endian without BOM": lambda text: text.encode("utf-16-be"),
    "Unix line ends": lambda text: text.replace("\r\n", "\n").encode(),
    "old Mac line ends": lambda text: text.replace("\r\n", "\r").encode(),
    "semicolons": lambda text: text.replace('","', '";"').encode(),
    "tabs": lambda text: text.replace('","', '"\t"').encode(),
    "a #TYPE line": lambda text: b"#TYPE Microsoft.Rtc.Management.ADConnect.Schema.OCSADUser\r\n" + text.encode(),
    "no line end at the end": lambda text: text.rstrip("\r\n").encode(),
    "blank lines at the end": lambda text: text.encode() + b"\r\n\r\n",
    "lower-case columns": lambda text: (text.split("\r\n")[0].lower() + text[len(text.split("\r\n")[0]) :]).encode(),
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_variant_of_a_file_says_the_same(variant: str, repository: Path, tmp_path: Path) -> None:
    plain = (repository / "tests/data/acme/users.csv").read_bytes().decode("utf-8-sig")
    expected, actual = MemoryPublisher(8), MemoryPublisher(8)
    imported("users", write(tmp_path / "plain.csv", plain), publisher=expected)
    summary = imported("users", write(tmp_path / "variant.csv", VARIANTS[variant](plain)), publisher=actual)
    assert (12, 0) == (summary.read, summary.rejected)

    def unfolded(publisher: MemoryPublisher) -> dict[tuple[str, str], object]:
        facts = facts_of(publisher)
        for value in facts.values():
            if "display_name" in value:
                value["display_name"] = " ".join(value["display_name"].split())
        return dict(facts)

    assert unfolded(expected) == unfolded(actual)
    assert not rejections_by_the_meter(actual)


def test_a_quoted_field_keeps_quotes_and_line_breaks(repository: Path) -> None:
    publisher = MemoryPublisher(8)
    path = repository / "tests/data/acme/users.csv"
    imported("users", path, publisher=publisher, partial=True, observed_at=EXPORTED_AT)
    names = {
        subject[-2:]: facts["display_name"]
        for (facet, subject), facts in facts_of(publisher).items()
        if facet == "directory"
    }
    assert 'David "Dave" Diaz' == names["04"]
    assert "Kaya\r\nKaur" == names["12"]
    assert "Chloé Costa" == names["03"]


HEAD = "ObjectId,DisplayName,EnterpriseVoiceEnabled\n"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("u2,only two\n", "2 fields where the header has 3"),
        ("u2,name,True,more\n", "4 fields where the header has 3"),
        (",name,True\n", "no id: ObjectId (else Identity) is empty"),
        ("two words,name,True\n", "'two words', which is not an id"),
        ("System.Object[],name,True\n", "no id"),
        ("u2,name,yes\n", "EnterpriseVoiceEnabled is 'yes', which is neither True nor False"),
        ('u2,"name"x,True\n', "not a row of a table"),
        (f"u2,{'n' * 70_000},True\n", "facts of 70,019 bytes for directory; at most 65,536 are taken"),
        (f"u2,{'n' * 140_000},True\n", "field larger than field limit"),
    ],
)
def test_a_bad_row_is_rejected_with_its_line_and_its_neighbours_go_on(row: str, reason: str, tmp_path: Path) -> None:
    publisher = MemoryPublisher(8)
    text = HEAD + 'u1,"over\nthree\nlines",True\n' + row + "u3,name,False\n"
    summary = imported("users", write(tmp_path / "users.csv", text), publisher=publisher)
    assert (3, 1) == (summary.read, summary.rejected)
    assert 5 == summary.rejections[0].line
    assert reason in summary.rejections[0].reason
    assert {"user:u1", "user:u3"} == {subject for _, subject in facts_of(publisher)}


def test_a_row_that_is_not_utf8_is_rejected_alone(tmp_path: Path) -> None:
    content = HEAD.encode() + "u1,Chloé,True\nu2,Zoé,True\n".encode() + "u3,Zoé,True\n".encode("cp1252")
    summary = imported("users", write(tmp_path / "users.csv", content))
    assert [(4, True)] == [(note.line, "UTF-8" in note.reason) for note in summary.rejections]


def test_a_quote_that_never_ends_is_rejected_where_it_starts(tmp_path: Path) -> None:
    summary = imported("users", write(tmp_path / "users.csv", HEAD + 'u1,ok,True\nu2,"never,True\nu3,ok,True\n'))
    assert [3] == [note.line for note in summary.rejections]
    assert 1 == summary.by_facet["voice"]


def test_only_the_first_hundred_reasons_are_kept_and_all_are_counted(tmp_path: Path) -> None:
    summary = imported("users", write(tmp_path / "users.csv", HEAD + "short\n" * 250))
    assert (250, 100) == (summary.rejected, len(summary.rejections))
