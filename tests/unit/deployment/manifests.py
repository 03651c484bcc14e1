"""Owns the reading of the Kubernetes manifests: as they are written, without what kustomize makes of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

Document = dict[str, Any]
FOLDERS = ("base", *(f"components/{name}" for name in ("graph", "autoscaling", "monitoring", "ingress")))


@dataclass(frozen=True)
class Workload:
    """A Deployment or a Job, with the one container of its pods."""

    document: Document

    @property
    def name(self) -> str:
        """Its name, which is that of its component."""
        name: str = self.document["metadata"]["name"]
        return name

    @property
    def pod(self) -> Document:
        """The pods' specification."""
        spec: Document = self.document["spec"]["template"]["spec"]
        return spec

    @property
    def labels(self) -> dict[str, str]:
        """The pods' labels."""
        labels: dict[str, str] = self.document["spec"]["template"]["metadata"]["labels"]
        return labels

    @property
    def container(self) -> Document:
        """The only container."""
        (container,) = self.pod["containers"]
        return container  # type: ignore[no-any-return]  # YAML

    @property
    def runs_on(self) -> bool:
        """Whether it is to go on for ever."""
        return bool(self.document["kind"] == "Deployment")


def written(folder: Path) -> list[Document]:
    """Return the documents of the resources that the base and the components name."""
    found = []
    for name in FOLDERS:
        listed = yaml.safe_load((folder / name / "kustomization.yaml").read_text("utf-8"))["resources"]
        for file in listed:
            found += list(yaml.safe_load_all((folder / name / file).read_text("utf-8")))
    return found


def workloads(documents: list[Document]) -> Iterator[Workload]:
    """Yield what runs pods."""
    yield from (Workload(document) for document in documents if document["kind"] in ("Deployment", "Job"))


def config_maps(folder: Path) -> dict[str, dict[str, str]]:
    """Return the values of the generated config maps of a kustomization, by name."""
    listed = yaml.safe_load((folder / "kustomization.yaml").read_text("utf-8"))["configMapGenerator"]
    return {entry["name"]: dict(line.split("=", 1) for line in entry["literals"]) for entry in listed}
