"""Real-looking exports through the command line into a running stack, counted by hand in tests/data/README.md."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from runtime.clickhouse.pool import open_pool
from runtime.settings import ClickHouse
from schemas.times import format_time
from streams.sink.clickhouse import ClickHouseRows
from tests.support.embedded_stack import EmbeddedStack, running_stack
from tests.support.kafka_clients import consumer_of, partitions_of, read_all, true_ends
from tests.support.waiting import eventually

FILES = (("users", "users.csv"), ("numbers", "numbers.csv"), ("dial-plan", "dialplan.csv"), ("m365", "m365.csv"))
ACME = Path("tests") / "data" / "acme"
SEAT_CHANGES = "poolwatch.seat-changes"
SWITCH_S = 1.0


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStack]:
    with running_stack(tmp_path_factory.mktemp("up") / "data") as stack:
        yield stack


def import_all(stack: EmbeddedStack, data: Path) -> None:
    for kind, name in FILES:
        stack.done("import", kind, str(data / name), "-T", "acme", "--observed-at", "2026-11-01T00:00:00Z")


@pytest.fixture(scope="module")
def acme(stack: EmbeddedStack, repository: Path) -> EmbeddedStack:
    """The stack with the exports of acme in it."""
    stack.done("tenant", "set", "acme", "--pool", "20", "--gateway", "sbc1.acme.example")
    import_all(stack, repository / ACME)
    return stack


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read (No such file or directory): check the path and its permissions"),
        (b"Colour;Size\nred;3\n", "Found: Colour, Size."),
        (bytes(range(256)) * 40, "is not a text file"),
        (b"", "is empty: export it again"),
    ],
    ids=["missing", "wrong columns", "binary rubbish", "empty"],
)
def test_a_file_that_is_none_is_told_in_a_sentence(
    stack: EmbeddedStack, tmp_path: Path, content: bytes | None, said: str
) -> None:
    file = tmp_path / "users.csv"
    if content is not None:
        file.write_bytes(content)
    ended = stack.cli("import", "users", str(file), "-T", "nobody")
    assert (1, "") == (ended.code, ended.out)
    assert ended.err.startswith("poolwatch: ")
    assert said in ended.err
    assert len(ended.err.splitlines()) == 1
    assert stack.cli("count", "nobody").code == 1, "nothing was sent"


def figures(stack: EmbeddedStack) -> dict[str, Any]:
    count = stack.count("acme")
    return {name: count[name] for name in ("currently_licensed", "user_licenses", "dr_phone_licenses")} | {
        row["factor"]: row["display"] for row in count["factors"]
    }


BY_HAND = {
    "currently_licensed": 12, "user_licenses": 10, "dr_phone_licenses": 3, "direct_routing": "4 (4)",
    "operator_connect": "2 (2)", "lifecycle": "0 (0)", "user_interface": "0 (0)", "service_number": "6 (8)",
}  # fmt: skip


def test_the_count_is_that_by_hand_and_says_why(acme: EmbeddedStack) -> None:
    def counted() -> bool:
        assert figures(acme) == BY_HAND
        return True

    eventually(counted)
    assert json.loads(acme.done("audit", "acme", "--json"))["agrees"]
    seats = acme.get("/tenants/acme/seats", search="Ana Adler")["items"]
    text = acme.done("explain", "acme", seats[0]["subject"])
    assert f"{seats[0]['subject']} is counted at direct_routing" in text
    assert "from numbers-file" in text
    deleted = acme.get("/tenants/acme/seats", factor="none", search="Ines Ito")["items"]
    assert f"{deleted[0]['subject']} is not counted" in acme.done("explain", "acme", deleted[0]["subject"])


def test_a_second_import_changes_nothing(acme: EmbeddedStack, repository: Path) -> None:
    changes, told = acme.changes("acme"), told_changes(acme)
    assert told > 40, "12 users with four facets, and service numbers"
    import_all(acme, repository / ACME)
    assert figures(acme) == BY_HAND
    assert changes == acme.changes("acme")
    assert told == told_changes(acme)


def told_changes(stack: EmbeddedStack) -> int:
    """Return how many seat changes the meter has told since the stack began."""

    async def read() -> int:
        async with consumer_of(stack.bootstrap) as consumer:
            ends = await true_ends(consumer, partitions_of(SEAT_CHANGES))
        records = await read_all(stack.bootstrap, SEAT_CHANGES, sum(ends.values()))
        return sum(json.loads(record.value)["type"] == "seat_change" for record in records)

    return asyncio.run(read())


def test_a_switched_off_factor_lets_its_subjects_fall_through_within_a_second(acme: EmbeddedStack) -> None:
    now = format_time(datetime.now(UTC))
    common = {"tenant": "acme", "subject": "user:zoe", "observed_at": now, "source": "test"}
    answer = acme.post_events(
        {**common, "type": "lifecycle", "facts": {"groups": ["template-1"]}},
        {**common, "type": "interface", "facts": {"changed_by": "ana"}},
    )
    assert (202, {"accepted": 2, "rejected": []}) == (answer.status_code, answer.json())

    def shows(expected: dict[str, Any]) -> bool:
        found = figures(acme)
        assert expected == {name: found[name] for name in expected}
        return True

    eventually(lambda: shows({"currently_licensed": 13, "lifecycle": "1 (1)", "user_interface": "0 (1)"}))
    acme.done("tenant", "set", "acme", "--factor", "lifecycle=off")
    off = {"currently_licensed": 13, "lifecycle": "0 (1) (n/a)", "user_interface": "1 (1)"}
    eventually(lambda: shows(off), SWITCH_S)
    moved = acme.changes("acme")[-1]
    assert ("settings", {"lifecycle": -1, "user_interface": 1}) == (moved["kind"], moved["factors"])
    assert acme.cli("audit", "acme").code == 0


def test_a_person_is_forgotten_and_the_figures_stay(acme: EmbeddedStack) -> None:
    before = figures(acme)
    subject = acme.get("/tenants/acme/seats", factor="none", search="Ines Ito")["items"][0]["subject"]
    refused = acme.cli("forget", "-T", "acme", subject)
    assert (1, True) == (refused.code, f"{subject} is still told of: directory (m365-file, " in refused.err)
    told = json.loads(acme.done("forget", "-T", "acme", subject, "--gone", "--json"))
    assert ("directory", True) == (told["cleared"][0], told["pseudonym"].startswith("user:forgotten-"))
    assert before == figures(acme)
    assert json.loads(acme.done("audit", "acme", "--json"))["agrees"]
    assert [] == acme.get("/tenants/acme/seats", factor="all", search="Ines Ito")["items"]
    assert "or it was forgotten" in acme.cli("forget", "-T", "acme", subject).err


@pytest.mark.parametrize("what", ["kafka", "clickhouse"])
def test_there_is_nothing_to_rebuild_here(acme: EmbeddedStack, what: str) -> None:
    ended = acme.cli("rebuild", what)
    assert (1, True) == (ended.code, "is an embedded one: it fills its broker at every start" in ended.err)


def shown(stack: EmbeddedStack) -> dict[str, Any]:
    """Return what people see: figures, history, who is counted and why."""
    seats = stack.get("/tenants/acme/seats", factor="all")["items"]
    point = stack.get("/tenants/acme/licenses/history", **{"from": "2h", "step": "1h"})["points"][0]
    return {
        "figures": figures(stack),
        "seats": seats,
        "why": [stack.get(f"/tenants/acme/seats/{seat['subject']}") for seat in seats[:6]],
        "changes": stack.changes("acme"),
        "settings": stack.get("/tenants/acme/settings/changes")["items"],
        "syncs": stack.get("/tenants/acme/syncs")["items"],
        "history": {name: point["currently_licensed"][name] for name in ("min", "max", "last")},
    }


def test_a_running_stack_is_backed_up_and_comes_back_as_it_was(acme: EmbeddedStack, tmp_path: Path) -> None:
    acme.patch("/tenants/acme/settings", alerts={"warning_percent": 50, "dwell_s": 0})
    eventually(lambda: told_of_the_pool(acme, "raised"), 20)
    before, version = shown(acme), acme.count("acme")["version"]
    made = json.loads(acme.done("backup", str(tmp_path / "backup"), "--json"))
    assert made["tables"]["seat_changes"]["rows"] > 40
    in_use = acme.cli("restore", str(tmp_path / "backup"), "--data", str(acme.data))
    assert (1, True) == (in_use.code, "are in use by process" in in_use.err)
    assert acme.interrupt() == 0
    (acme.data / "clickhouse").rename(tmp_path / "lost")
    acme.done("restore", str(tmp_path / "backup"), "--data", str(acme.data))
    acme.start()
    assert before == shown(acme)
    assert version <= acme.count("acme")["version"]
    assert json.loads(acme.done("audit", "acme", "--json"))["agrees"]
    acme.done("alerts", "acknowledge", "acme", "pool")  # the alert process has started when it has answered
    eventually(lambda: told_of_the_pool(acme, "raised", "acknowledged"), 20)


def told_of_the_pool(stack: EmbeddedStack, *changes: str) -> bool:
    """Tell whether these changes of the alert of the pool were told, and no others."""
    told = stack.get("/tenants/acme/alerts")["items"][::-1]
    assert [*changes] == [each["change"] for each in told if each["rule"] == "pool"], told
    return True


def test_an_audit_names_the_subject_of_a_change_that_no_fact_explains(acme: EmbeddedStack) -> None:
    """A start counts again from the facts; what was *told* of a subject, and is shown as its history, stays as it is.
    So a false change in the storage does not come into the count, and the audit must find it."""
    subject = acme.get("/tenants/acme/seats", search="Ana Adler")["items"][0]["subject"]
    before = figures(acme)
    assert acme.interrupt() == 0
    plant_change(acme.data, subject)
    acme.start()
    assert before == figures(acme)
    ended = acme.cli("audit", "acme")
    assert ended.code == 1
    assert f"{subject}: recorded not counted, recounted direct_routing" in ended.out


def plant_change(data: Path, subject: str) -> None:
    now = format_time(datetime.now(UTC))
    row = {
        "id": "0" * 32, "tenant": "acme", "subject": subject, "rev": 1_000, "kind": "rules", "facet": "", "facts": "",
        "facts_hash": "", "source": "", "observed_at": now, "recorded_at": now, "old_profile": 1, "new_profile": 0,
        "settings_revision": 1,
    }  # fmt: skip
    with open_pool(ClickHouse(data=data / "clickhouse")) as pool:
        ClickHouseRows(pool).insert("seat_changes", [json.dumps(row).encode()])
