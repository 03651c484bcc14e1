"""What `docker compose` is given fits this version: settings, commands, files, pinned images."""

import json
import re
import tomllib
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from runtime.effective import effective
from runtime.portal_access import access_of
from runtime.settings import Settings
from tests.unit.documented_commands import problem_of_line

PINNED = re.compile(r"[\w./-]+:v?\d+\.\d+\.\d[\w.-]*")
OWN = "poolwatch:"
ONCE = {"topics", "migrate", "cli"}
"""Services that do something and end."""
WRITABLE = {"kafka", "clickhouse"}
"""Services whose entry points write configuration into their root directory."""


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((Path(__file__).parents[3] / "docker-compose.yml").read_text("utf-8"))
    return loaded


def own_services(compose: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: service for name, service in compose["services"].items() if service["image"].startswith(OWN)}


def filled_in(value: str) -> str:
    """Return a value as compose hands it on, its required variables given."""
    given = {"POOLWATCH_AUTH_ISSUER": "https://login.example/directory"}
    required = re.sub(r"\$\{(\w+):\?[^}]+\}", lambda found: given.get(found[1], "s" * 32), value)
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", required)


def test_every_setting_in_compose_exists(compose: dict[str, Any]) -> None:
    known = {row.name for row in effective(Settings.model_construct())}
    given = {name for service in own_services(compose).values() for name in service["environment"]}
    assert given
    assert set() == given - known


def test_what_compose_sets_is_accepted(compose: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    for service in own_services(compose).values():
        with monkeypatch.context() as patch:
            for name, value in service["environment"].items():
                assert isinstance(value, str), f"{name} must be quoted, for YAML would change it"
                patch.setenv(name, filled_in(value))
            settings = Settings(_env_file=None)
        assert "kafka:9092" == settings.kafka.bootstrap
        assert ("0.0.0.0", 9464) == (settings.metrics.host, settings.metrics.port)


def test_every_command_in_compose_is_understood(compose: dict[str, Any]) -> None:
    commands = {name: service["command"] for name, service in own_services(compose).items()}
    roles = {"meter", "counter", "sink", "alerts", "collector", "portal"}
    assert roles | ONCE == set(commands)
    assert {} == {name: problem for name, words in commands.items() if (problem := problem_of_line(words))}


def test_services_wait_for_services_that_exist_and_for_health_only_where_it_is_checked(compose: dict[str, Any]) -> None:
    services = compose["services"]
    for name, service in services.items():
        for other, how in service.get("depends_on", {}).items():
            assert other in services, f"{name} waits for {other}"
            if how["condition"] == "service_healthy":
                assert "healthcheck" in services[other], f"{name} waits for the health of {other}"
            else:
                assert "restart" not in services[other], f"{name} waits for the end of {other}, which is restarted"


def test_long_running_processes_are_started_again(compose: dict[str, Any]) -> None:
    assert ONCE == {name for name, service in compose["services"].items() if "restart" not in service}
    assert 2 == compose["services"]["meter"]["deploy"]["replicas"]


def test_images_are_pinned(compose: dict[str, Any]) -> None:
    images = [service["image"] for service in compose["services"].values()]
    assert [] == [image for image in images if not PINNED.fullmatch(image)]


def test_the_image_is_named_after_this_version(compose: dict[str, Any], repository: Path) -> None:
    version = tomllib.loads((repository / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert {f"{OWN}{version}"} == {service["image"] for service in own_services(compose).values()}


def test_no_secret_has_a_default(compose: dict[str, Any]) -> None:
    values = {
        name: str(value)
        for service in compose["services"].values()
        for name, value in service.get("environment", {}).items()
        if any(word in name for word in ("PASSWORD", "SECRET", "_KEY")) or name.endswith("CLICKHOUSE_URL")
    }
    assert {"CLICKHOUSE_PASSWORD", "POOLWATCH_AUTH_SESSION_KEY", "GF_SECURITY_ADMIN_PASSWORD"} <= set(values)
    # What only a profile needs cannot be required: compose would ask everybody for it. The collector asks itself.
    assert "${POOLWATCH_GRAPH_CLIENT_SECRET:-}" == values.pop("POOLWATCH_GRAPH_CLIENT_SECRET")
    assert {} == {name: value for name, value in values.items() if not re.search(r"\$\{\w+:\?[^}]+\}", value)}


def test_a_portal_that_others_reach_asks_people_to_sign_in(
    compose: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in compose["services"]["portal"]["environment"].items():
        monkeypatch.setenv(name, filled_in(value))
    settings = Settings(_env_file=None)
    assert ("0.0.0.0", "oidc") == (settings.portal.host, settings.auth.mode)
    access = access_of(settings.auth)
    assert access.entrance.sign_in is not None


def test_nothing_is_published_beyond_loopback(compose: dict[str, Any]) -> None:
    ports = {name: service["ports"] for name, service in compose["services"].items() if "ports" in service}
    assert {"portal", "prometheus", "grafana"} == set(ports)
    assert [] == [port for each in ports.values() for port in each if not port.startswith("127.0.0.1:")]


def test_it_is_written_as_the_compose_specification_says(compose: dict[str, Any]) -> None:
    # Its file alone is read: the package brings a command line, and wants another version of click for it than ours.
    schema = distribution("check-jsonschema").locate_file("check_jsonschema/builtin_schemas/vendor/compose-spec.json")
    validator = jsonschema.Draft202012Validator(json.loads(Path(str(schema)).read_text("utf-8")))
    problems = [f"{'/'.join(map(str, error.path))}: {error.message}" for error in validator.iter_errors(compose)]
    assert [] == problems


def test_every_service_is_held_to_limits_and_can_do_nothing_that_it_need_not(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert {"cpus", "memory"} == set(service["deploy"]["resources"]["limits"]), name
        assert service["user"].split(":")[0] not in ("0", "root"), name
        assert ["ALL"] == service["cap_drop"], name
        assert ["no-new-privileges:true"] == service["security_opt"], name
        assert name in WRITABLE or service["read_only"] is True, name


def test_every_service_that_goes_on_is_asked_how_it_is(compose: dict[str, Any]) -> None:
    services = {name: service for name, service in compose["services"].items() if name not in ONCE}
    assert [] == [name for name, service in services.items() if "healthcheck" not in service]
    settings = compose["x-poolwatch"]["environment"]
    for name in set(own_services(compose)) - ONCE:
        port = settings["POOLWATCH_METRICS_PORT"] if name != "portal" else "8080"
        test = services[name]["healthcheck"]["test"]
        assert f"http://127.0.0.1:{port}/readyz" in test[-1], name
        assert ["CMD", "python", "-c"] == test[:3], "there is no other program in the image"


def test_what_is_kept_lies_in_volumes_and_what_is_mounted_is_read_only(compose: dict[str, Any]) -> None:
    mounts = [volume for service in compose["services"].values() for volume in service.get("volumes", [])]
    named = {mount.split(":")[0] for mount in mounts if not mount.startswith("./")}
    assert named == set(compose["volumes"])
    ours = [mount for mount in mounts if mount.startswith("./")]
    assert [] == [mount for mount in ours if not mount.endswith(":ro")]


def test_compose_builds_from_this_dockerfile(compose: dict[str, Any], repository: Path) -> None:
    builds = [service["build"] for service in own_services(compose).values()]
    assert all((repository / build["context"] / build["dockerfile"]).is_file() for build in builds)
