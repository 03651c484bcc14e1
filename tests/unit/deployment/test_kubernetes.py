"""The Kubernetes manifests fit the schemas, settings and commands, and let a process do only what it needs to."""

import tomllib
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from runtime.effective import effective
from runtime.installation import meter_group
from runtime.portal_access import access_of
from runtime.settings import Settings
from schemas.topics import full_name
from tests.unit.deployment.manifests import Document, Workload, config_maps, workloads, written
from tests.unit.documented_commands import problem_of_line

OLDEST, NEWEST = "1.30", "1.37"
OWN_KINDS = {"ScaledObject", "PodMonitor"}
"""Kinds of KEDA and the Prometheus operator; their schemas come with them."""
PARTITION_OWNERS = {"meter", "counter", "sink", "alerts", "collector"}
COMPONENT = "app.kubernetes.io/component"


@pytest.fixture(scope="module")
def folder(repository: Path) -> Path:
    return repository / "deploy" / "kubernetes"


@pytest.fixture(scope="module")
def documents(folder: Path) -> list[Document]:
    return written(folder)


@pytest.fixture(scope="module")
def running(documents: list[Document]) -> list[Workload]:
    return list(workloads(documents))


def of_kind(documents: list[Document], kind: str) -> dict[str, Document]:
    return {document["metadata"]["name"]: document for document in documents if document["kind"] == kind}


def problem_of(document: Document, version: str) -> str | None:
    try:
        kubernetes_validate.validate(document, version, strict=True)
    except kubernetes_validate.ValidationError as error:
        return f"{document['kind']} {document['metadata']['name']}: {error.message}"
    return None


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_every_manifest_fits_the_schema_of_its_kind(documents: list[Document], version: str) -> None:
    assert OWN_KINDS <= {document["kind"] for document in documents}
    ours = [document for document in documents if document["kind"] not in OWN_KINDS]
    assert [] == [problem for document in ours if (problem := problem_of(document, version))]


def settings_of(workload: Workload, maps: dict[str, dict[str, str]]) -> dict[str, str]:
    """Return the variables of a process, secrets filled in."""
    values: dict[str, str] = {}
    for source in workload.container["envFrom"]:
        values |= maps[source["configMapRef"]["name"]]
    return values | {entry["name"]: entry.get("value", "https://made.up/" + "s" * 32) for entry in env_of(workload)}


def env_of(workload: Workload) -> list[dict[str, Any]]:
    env: list[dict[str, Any]] = workload.container["env"]
    return env


def test_every_setting_exists_and_is_accepted(
    running: list[Workload], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = {row.name for row in effective(Settings.model_construct())}
    for workload in running:
        values = settings_of(workload, config_maps(folder / "base"))
        assert set() == set(values) - known, workload.name
        with monkeypatch.context() as patch:
            for name, value in values.items():
                patch.setenv(name, value)
            settings = Settings(_env_file=None)
        assert 3 == settings.kafka.replication_factor
        if workload.name == "portal":
            assert access_of(settings.auth).entrance.sign_in is not None


def test_the_settings_of_the_overlay_exist(folder: Path) -> None:
    overlay = folder / "overlays" / "production"
    given = {name for values in config_maps(overlay).values() for name in values}
    given |= {
        step["value"]["name"]
        for step in yaml.safe_load((overlay / "kafka-sign-in.yaml").read_text("utf-8"))
        if step["path"].endswith("/env/-")
    }
    assert set() == given - {row.name for row in effective(Settings.model_construct())}


def test_every_command_is_understood(running: list[Workload]) -> None:
    commands = {workload.name: list(workload.container["args"]) for workload in running}
    assert {} == {name: problem for name, words in commands.items() if (problem := problem_of_line(words))}


def test_the_same_processes_run_as_in_compose(running: list[Workload], repository: Path) -> None:
    compose = yaml.safe_load((repository / "docker-compose.yml").read_text("utf-8"))["services"]
    own = {name: service["command"] for name, service in compose.items() if service["image"].startswith("poolwatch:")}
    del own["cli"]
    assert own == {workload.name: workload.container["args"] for workload in running}


def test_only_who_reads_or_writes_history_has_the_password_of_it(running: list[Workload], repository: Path) -> None:
    compose = yaml.safe_load((repository / "docker-compose.yml").read_text("utf-8"))["services"]
    name = "POOLWATCH_CLICKHOUSE_URL"
    there = {key for key, service in compose.items() if name in service.get("environment", {})}
    here = {workload.name for workload in running if any(entry["name"] == name for entry in env_of(workload))}
    assert {"migrate", "sink", "portal"} == here
    assert here | {"cli"} == there


def test_images_are_of_this_version(running: list[Workload], folder: Path, repository: Path) -> None:
    version = tomllib.loads((repository / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert {f"poolwatch:{version}"} == {workload.container["image"] for workload in running}
    overlay = yaml.safe_load((folder / "overlays" / "production" / "kustomization.yaml").read_text("utf-8"))
    assert [version] == [image["newTag"] for image in overlay["images"]]


def test_pods_can_do_nothing_that_they_need_not(running: list[Workload]) -> None:
    for workload in running:
        pod, container = workload.pod, workload.container
        assert pod["automountServiceAccountToken"] is False, workload.name
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert 10001 == pod["securityContext"]["runAsUser"], "as in the image"
        assert {"type": "RuntimeDefault"} == pod["securityContext"]["seccompProfile"]
        expected = {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert expected == container["securityContext"], workload.name
        assert {"cpu", "memory", "ephemeral-storage"} == set(container["resources"]["limits"])
        assert set(container["resources"]["limits"]) == set(container["resources"]["requests"])
        assert [] == [volume for volume in pod["volumes"] if not {"emptyDir", "secret"} & set(volume)]


def test_no_secret_is_written_down(documents: list[Document], running: list[Workload]) -> None:
    assert {} == of_kind(documents, "Secret")
    sensitive = [
        entry
        for workload in running
        for entry in env_of(workload)
        if any(word in entry["name"] for word in ("PASSWORD", "SECRET", "TOKEN", "_KEY", "CLICKHOUSE_URL"))
    ]
    assert sensitive
    plain = [entry["name"] for entry in sensitive if "secretKeyRef" not in entry.get("valueFrom", {})]
    assert ["POOLWATCH_GRAPH_CLIENT_SECRET_FILE"] == plain, "the place of a file of a secret"


def test_every_process_is_probed_at_its_own_port(running: list[Workload], folder: Path) -> None:
    port = int(config_maps(folder / "base")["poolwatch"]["POOLWATCH_METRICS_PORT"])
    for workload in filter(lambda each: each.runs_on, running):
        container = workload.container
        ports = {entry["name"]: entry["containerPort"] for entry in container["ports"]}
        assert port == ports["metrics"], workload.name
        probes = {kind: container[f"{kind}Probe"]["httpGet"] for kind in ("startup", "liveness", "readiness")}
        assert {"/livez"} == {probes["startup"]["path"], probes["liveness"]["path"]}
        assert "/readyz" == probes["readiness"]["path"]
        assert {"metrics"} == {probes["startup"]["port"], probes["liveness"]["port"]}, "alive is not ready"
        assert probes["readiness"]["port"] in ports


def test_a_budget_spread_and_selectors_belong_to_each_that_runs_on(
    documents: list[Document], running: list[Workload]
) -> None:
    budgets = of_kind(documents, "PodDisruptionBudget")
    deployments = {workload.name: workload for workload in running if workload.runs_on}
    assert set(deployments) == set(budgets)
    for name, workload in deployments.items():
        assert name == workload.labels[COMPONENT]
        selectors = [workload.document["spec"]["selector"], budgets[name]["spec"]["selector"]]
        selectors += [spread["labelSelector"] for spread in workload.pod["topologySpreadConstraints"]]
        assert 4 == len(selectors)
        for selector in selectors:
            assert selector["matchLabels"].items() <= workload.labels.items()
        assert 1 < workload.document["spec"]["replicas"], "one may always be away"


def test_owners_of_partitions_are_replaced_one_at_a_time_and_portals_answer_meanwhile(running: list[Workload]) -> None:
    rolling = {
        workload.name: workload.document["spec"]["strategy"]["rollingUpdate"]
        for workload in running
        if workload.runs_on
    }
    assert PARTITION_OWNERS | {"portal"} == set(rolling)
    assert [{"maxSurge": 0, "maxUnavailable": 1}] * 5 == [rolling[name] for name in sorted(PARTITION_OWNERS)]
    assert {"maxSurge": 1, "maxUnavailable": 0} == rolling["portal"]


def test_nothing_is_reachable_but_what_is_named(documents: list[Document], running: list[Workload]) -> None:
    policies = of_kind(documents, "NetworkPolicy")
    deny = policies["default-deny"]["spec"]
    assert {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]} == deny
    components = {workload.name for workload in running}
    named = {
        name: set(match["values"])
        for name, policy in policies.items()
        for match in policy["spec"]["podSelector"].get("matchExpressions", [])
    }
    assert components - {"migrate"} == named["kafka"]
    assert {"migrate", "sink", "portal"} == named["clickhouse"]
    assert set() == set.union(*named.values()) - components
    internet = policies["internet"]["spec"]["egress"][0]["to"]
    assert all(peer["ipBlock"]["except"] for peer in internet), "not the inside, where metadata services answer"
    incoming = {name for name, policy in policies.items() if "Ingress" in policy["spec"]["policyTypes"]}
    assert {"default-deny", "portal", "metrics"} == incoming


def test_the_autoscaler_asks_for_the_group_and_the_topics_of_the_meters(documents: list[Document]) -> None:
    kafka = Settings.model_construct().kafka
    triggers = of_kind(documents, "ScaledObject")["meter"]["spec"]["triggers"]
    assert {meter_group(kafka.topic_prefix)} == {trigger["metadata"]["consumerGroup"] for trigger in triggers}
    expected = {full_name(kafka.topic_prefix, topic) for topic in ("user-changes", "assignments")}
    assert expected == {trigger["metadata"]["topic"] for trigger in triggers}
    assert all(isinstance(value, str) for trigger in triggers for value in trigger["metadata"].values())
