"""Settings: precedence, mistakes in words, and the report on them."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from runtime.effective import effective, unknown_names
from runtime.settings import SettingsError, load


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    import os

    for name in [name for name in os.environ if name.startswith("POOLWATCH_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def origins() -> dict[str, tuple[str, str]]:
    return {row.name: (row.value, row.origin) for row in effective(load())}


def test_without_anything_the_defaults_stand() -> None:
    settings = load()
    assert settings.url == "http://127.0.0.1:8080"
    assert (settings.portal.host, settings.portal.port) == ("127.0.0.1", 8080)
    assert (settings.kafka.topic_prefix, settings.kafka.partitions) == ("poolwatch.", 8)


def test_arguments_beat_variables_beat_dotenv_beats_the_file(clean: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (clean / "poolwatch.toml").write_text('[kafka]\nbootstrap = "toml:1"\ntopic_prefix = "toml."\npartitions = 3\n')
    (clean / ".env").write_text("POOLWATCH_KAFKA_BOOTSTRAP=dotenv:1\nPOOLWATCH_KAFKA_TOPIC_PREFIX=dotenv.\nOTHER=1\n")
    monkeypatch.setenv("POOLWATCH_KAFKA_BOOTSTRAP", "variable:1")
    settings = load(kafka={"replication_factor": 2})
    kafka = settings.kafka
    assert ("variable:1", "dotenv.", 3, 2) == (
        kafka.bootstrap, kafka.topic_prefix, kafka.partitions, kafka.replication_factor
    )  # fmt: skip
    shown = origins()
    assert shown["POOLWATCH_KAFKA_BOOTSTRAP"] == ("variable:1", "variable POOLWATCH_KAFKA_BOOTSTRAP")
    assert shown["POOLWATCH_KAFKA_TOPIC_PREFIX"] == ("dotenv.", ".env")
    assert shown["POOLWATCH_KAFKA_PARTITIONS"] == ("3", "poolwatch.toml")
    assert shown["POOLWATCH_PORTAL_PORT"] == ("8080", "default")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("POOLWATCH_KAFKA_PARTITIONS", "many", "POOLWATCH_KAFKA_PARTITIONS (kafka.partitions in poolwatch.toml)"),
        ("POOLWATCH_KAFKA_PARTITIONS", "0", "not '0'"),
        ("POOLWATCH_PORTAL_PORT", "99999", "POOLWATCH_PORTAL_PORT"),
        ("POOLWATCH_URL", "localhost:8080", "an address begins with http:// or https://"),
        ("POOLWATCH_KAFKA_TOPIC_PREFIX", "a/b", "a topic prefix is at most 100"),
        (
            "POOLWATCH_KAFKA_BOOTSTRP",
            "x:1",
            "POOLWATCH_KAFKA_BOOTSTRP (kafka.bootstrp in poolwatch.toml) is not a setting",
        ),
        ("POOLWATCH_CONFIG", "missing.toml", "POOLWATCH_CONFIG names missing.toml, which is no file"),
    ],
)
def test_a_mistake_is_a_sentence_with_the_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load()
    assert said in str(caught.value)
    assert "Traceback" not in str(caught.value)


def test_a_file_that_is_not_toml_is_named(clean: Path) -> None:
    (clean / "poolwatch.toml").write_text("[kafka\n")
    with pytest.raises(SettingsError, match=r"poolwatch\.toml or \.env cannot be read"):
        load()


def test_secrets_are_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POOLWATCH_KAFKA_SASL_PASSWORD", "hunter2")
    monkeypatch.setenv("POOLWATCH_CLICKHOUSE_URL", "http://me:hunter2@clickhouse:8123")
    assert "hunter2" not in str(origins())
    assert origins()["POOLWATCH_KAFKA_SASL_PASSWORD"][0] == "(hidden)"
    assert "hunter2" not in repr(load())


def test_a_mistyped_variable_is_told_with_the_nearest_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POOLWATCH_UR", "http://portal")
    assert unknown_names() == ["POOLWATCH_UR is set and is not a setting: is POOLWATCH_URL meant?"]


def test_the_tree_is_frozen() -> None:
    with pytest.raises(ValidationError):
        load().kafka.partitions = 9  # type: ignore[misc]  # the very thing that must not work
