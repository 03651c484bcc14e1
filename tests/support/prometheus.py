"""The Prometheus of the tests: where it is, how a Debian that lacks it gets it, and one that asks a stack."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from runtime.embedded.child import Child
from tests.support.cache import cache_folder, fill_once
from tests.support.ports import HOST, free_port

HOW_TO_GET_IT = "put prometheus and promtool on the path, or run `make test` on a Debian"
_FETCH_S, _READY_S = 180, 20.0


class PrometheusError(Exception):
    """A Prometheus that could be had is not to be had."""


def find_program(name: str) -> Path | None:
    """Return where `prometheus` or `promtool` is, None where it is not."""
    found = shutil.which(name) or shutil.which(name, path=str(_folder() / "usr" / "bin"))
    return Path(found) if found else None


def may_fetch() -> bool:
    """Tell whether Debian's package can be had: not installed, for that would start a service on this machine."""
    return shutil.which("apt-get") is not None and shutil.which("dpkg-deb") is not None


def fetch_prometheus() -> Path:
    """Unpack Debian's package into the cache folder and return where its program is. Raises PrometheusError."""

    def unpack(work: Path) -> Path:
        try:
            _run(["apt-get", "-qq", "download", "prometheus"], work)
        except PrometheusError:
            if os.geteuid() != 0:
                raise
            _run(["apt-get", "-qq", "update"], work)  # its lists were old, or none
            _run(["apt-get", "-qq", "download", "prometheus"], work)
        _run(["dpkg-deb", "--extract", str(next(work.glob("prometheus_*.deb"))), str(work / "unpacked")], work)
        return work / "unpacked"

    fill_once(_folder(), unpack)
    if found := find_program("prometheus"):
        return found
    raise PrometheusError(f"the package in {_folder()} brought no prometheus: delete it, or {HOW_TO_GET_IT}")


def _folder() -> Path:
    return cache_folder("prometheus-debian")


def _run(command: list[str], folder: Path) -> None:
    try:
        subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True, timeout=_FETCH_S)
    except subprocess.TimeoutExpired as error:
        raise PrometheusError(f"`{' '.join(command)}` took longer than {_FETCH_S} s: {HOW_TO_GET_IT}") from error
    except subprocess.CalledProcessError as error:
        last = (error.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise PrometheusError(f"`{' '.join(command)}` failed ({last}): {HOW_TO_GET_IT}") from error


class Prometheus:
    """A Prometheus that runs."""

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=url, timeout=10)

    def ask(self, expression: str) -> list[dict[str, Any]]:
        """Return what a query gives now; an AssertionError says why it cannot be asked."""
        answer = self._http.get("/api/v1/query", params={"query": expression}).json()
        assert answer["status"] == "success", f"{expression}: {answer.get('error')}"
        result: list[dict[str, Any]] = answer["data"]["result"]
        return result

    def rules(self) -> list[dict[str, Any]]:
        """Return all rules with how they were evaluated."""
        groups = self._http.get("/api/v1/rules").json()["data"]["groups"]
        return [rule for group in groups for rule in group["rules"]]

    def is_ready(self) -> bool:
        """Tell whether it answers."""
        try:
            return self._http.get("/-/ready").is_success
        except httpx.HTTPError:
            return False

    def close(self) -> None:
        """Let go of connections."""
        self._http.close()


@contextmanager
def running_prometheus(program: Path, configuration: str, folder: Path) -> Iterator[Prometheus]:
    """Run a Prometheus with a configuration until left."""
    port = free_port()
    (folder / "prometheus.yml").write_text(configuration, "utf-8")
    options = {
        "config.file": folder / "prometheus.yml",
        "storage.tsdb.path": folder / "data",
        "web.listen-address": f"{HOST}:{port}",
        "log.level": "warn",
    }
    command = [str(program), *(f"--{name}={value}" for name, value in options.items())]
    child = Child("Prometheus", command, folder / "prometheus.log")
    prometheus = Prometheus(f"http://{HOST}:{port}")
    try:
        child.start()
        child.wait_ready(prometheus.is_ready, _READY_S)
        yield prometheus
    finally:
        prometheus.close()
        child.stop()
