"""Kustomize makes of the manifests what is meant: the example overlay, with everything that is optional."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.support.summary import Summary
from tests.unit.deployment.manifests import Document, Workload, workloads
from tests.unit.deployment.test_kubernetes import NEWEST, OWN_KINDS, of_kind, problem_of

BUILDERS = (("kustomize", "build"), ("kubectl", "kustomize"))


@pytest.fixture(scope="module")
def built(repository: Path, summary: Summary) -> list[Document]:
    builder = next((words for words in BUILDERS if shutil.which(words[0])), None)
    if builder is None:
        summary.notes.append("THE KUBERNETES OVERLAY WAS NOT BUILT: neither kustomize nor kubectl is installed")
        pytest.skip("neither kustomize nor kubectl is installed")
    command: list[str | Path] = [*builder, repository / "deploy" / "kubernetes" / "overlays" / "production"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return list(yaml.safe_load_all(text))


@pytest.fixture(scope="module")
def running(built: list[Document]) -> list[Workload]:
    return list(workloads(built))


def test_the_overlay_fits_the_schemas_and_lies_in_one_namespace(built: list[Document]) -> None:
    known = [document for document in built if document["kind"] not in OWN_KINDS | {"TriggerAuthentication"}]
    assert [] == [problem for document in known if (problem := problem_of(document, NEWEST))]
    assert {"poolwatch"} == {document["metadata"].get("namespace", "poolwatch") for document in built}
    assert ["poolwatch"] == list(of_kind(built, "Namespace"))


def test_every_process_signs_in_at_kafka_by_references_and_only_those_that_ask_it(running: list[Workload]) -> None:
    name = "POOLWATCH_KAFKA_SASL_PASSWORD"
    given = {
        workload.name: entry["valueFrom"]["secretKeyRef"]
        for workload in running
        for entry in workload.container["env"]
        if entry["name"] == name
    }
    assert {workload.name for workload in running} - {"migrate"} == set(given)
    assert [{"name": "poolwatch-kafka", "key": "password"}] * len(given) == list(given.values())


def test_what_is_mounted_is_there(running: list[Workload]) -> None:
    for workload in running:
        volumes = {volume["name"] for volume in workload.pod["volumes"]}
        assert volumes == {mount["name"] for mount in workload.container["volumeMounts"]}, workload.name
    places = {workload.name: [m["mountPath"] for m in workload.container["volumeMounts"]] for workload in running}
    assert "/etc/poolwatch/channels" in places["alerts"]
    assert "/etc/poolwatch/kafka" in places["meter"]


def test_who_is_scaled_by_load_has_no_number_and_who_is_selected_has_its_labels(
    built: list[Document], running: list[Workload]
) -> None:
    without = {each.name for each in running if each.runs_on and "replicas" not in each.document["spec"]}
    assert {"meter", "portal"} == without
    scraped = of_kind(built, "PodMonitor")["poolwatch"]["spec"]["selector"]["matchLabels"]
    allowed = of_kind(built, "NetworkPolicy")["metrics"]["spec"]["podSelector"]["matchLabels"]
    assert scraped == allowed
    assert [] == [workload.name for workload in running if not scraped.items() <= workload.labels.items()]
    assert {"registry.example/poolwatch:0.1.0"} == {workload.container["image"] for workload in running}


def test_config_maps_are_named_by_their_content(built: list[Document], running: list[Workload]) -> None:
    maps = of_kind(built, "ConfigMap")
    asked = {source["configMapRef"]["name"] for each in running for source in each.container["envFrom"]}
    assert set(maps) == asked
    common = next(data["data"] for name, data in maps.items() if "PORTAL" not in str(data["data"]))
    assert "SASL_SSL" == common["POOLWATCH_KAFKA_SECURITY_PROTOCOL"]
    assert "24" == common["POOLWATCH_KAFKA_PARTITIONS"], "what the overlay does not name stays"
