"""A start that does not come up says why and what to do, ends with 1 (0 after Ctrl-C), and leaves nothing behind."""

import socket
from pathlib import Path

import pytest

from runtime.embedded.stack import MIN_FREE_BYTES
from tests.support.embedded_stack import EmbeddedStack, children_of, is_alive, small_disk
from tests.support.waiting import eventually


def refusal(stack: EmbeddedStack) -> str:
    """Start a stack that must not come up; return the sentence it ends with."""
    stack.begin()
    try:
        assert stack.wait() == 1, stack.out
    finally:
        stack.close()
    assert "Traceback" not in stack.out
    last = stack.out.splitlines()[-1]
    assert last.startswith("poolwatch: ")
    return last


def test_a_port_in_use_is_named_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        stack = EmbeddedStack(tmp_path / "data")
        stack.port = taken.getsockname()[1]
        said = refusal(stack)
    assert f"the portal cannot listen on 127.0.0.1:{stack.port}: Address already in use" in said
    assert "--port of `poolwatch up`" in said
    assert "broker ready" not in stack.out


def test_a_second_up_on_the_same_directory_is_told_who_has_it(tmp_path: Path) -> None:
    first = EmbeddedStack(tmp_path / "data")
    try:
        first.start()
        second = EmbeddedStack(tmp_path / "data")
        second.out_path = tmp_path / "second.out"
        said = refusal(second)
        assert f"{tmp_path / 'data'} are in use by process {first.pid}" in said
        assert "choose another data directory" in said
        assert first.is_ready()
    finally:
        first.close()


@pytest.mark.parametrize("below", ["a-file/data", "a-file"])
def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path, below: str) -> None:
    (tmp_path / "a-file").write_text("")
    stack = EmbeddedStack(tmp_path / below)
    stack.out_path = tmp_path / "up.out"
    said = refusal(stack)
    assert f"the data directory {tmp_path / below} cannot be made or written" in said
    assert "Choose another by --data" in said


def test_a_directory_that_may_not_be_written_is_named(tmp_path: Path) -> None:
    with small_disk(tmp_path / "data", "ro") as data:
        said = refusal(EmbeddedStack(data))
    assert f"the data directory {data} cannot be made or written: Read-only file system" in said


def test_a_disk_without_space_is_told_with_what_is_left_and_what_is_needed(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "size=16m") as full:
        stack = EmbeddedStack(full / "data")
        stack.out_path = tmp_path / "up.out"
        said = refusal(stack)
    assert f"MiB left and needs {MIN_FREE_BYTES // 2**20}" in said
    assert "free some space" in said


def test_a_setting_that_cannot_be_used_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POOLWATCH_RETENTION_COUNTS_DAYS", "many")
    said = refusal(EmbeddedStack(tmp_path / "data"))
    assert said.startswith("poolwatch: POOLWATCH_RETENTION_COUNTS_DAYS (retention.counts_days in poolwatch.toml)")


def test_settings_of_other_installations_are_not_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "KAFKA_BOOTSTRAP": "kafka.example:9092", "KAFKA_TOPIC_PREFIX": "other.", "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "CLICKHOUSE_URL": "http://clickhouse.example:8123", "PORTAL_HOST": "192.0.2.1",
    }.items():  # fmt: skip
        monkeypatch.setenv(f"POOLWATCH_{name}", value)
    stack = EmbeddedStack(tmp_path / "data")
    try:
        stack.start()
        assert stack.is_ready()
    finally:
        stack.close()


@pytest.mark.parametrize("said", ["broker ready", "storage ready"])
def test_ctrl_c_during_the_start_ends_it_cleanly(tmp_path: Path, said: str) -> None:
    stack = EmbeddedStack(tmp_path / "data")
    stack.begin()
    try:
        eventually(lambda: said in stack.out, 30)
        children = children_of(stack.pid)
        assert stack.interrupt() == 0
        assert not [pid for pid in children if is_alive(pid)]
        assert "Poolwatch answers" not in stack.out
    finally:
        stack.close()
