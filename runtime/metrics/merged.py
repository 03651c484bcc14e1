"""Owns the figures of several processes as one page: those of the embedded stack, whose children are not seen from
outside, at its portal."""

import asyncio
import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import httpx
import structlog
from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.parser import text_string_to_metric_families

from runtime.metrics.exposition import Shown
from runtime.metrics.health import Health
from runtime.metrics.process import Role, registries_of
from runtime.metrics.server import serve_figures

HOST = "127.0.0.1"
_SUFFIX = ".metrics"
_PATIENCE_S = 2.0

log = structlog.get_logger()


@contextlib.contextmanager
def figures_for_portal(folder: Path, name: str, *roles: Role) -> Iterator[Health]:
    """Let the portal of a stack find the figures of this process: at a free port, which stands in its run folder."""
    health = Health()
    shown = Shown(registries_of(*roles))
    with serve_figures(HOST, 0, shown, health) as port:
        mark = folder / f"{name}{_SUFFIX}"
        mark.write_text(str(port))
        try:
            yield health
        finally:
            mark.unlink(missing_ok=True)


class StackFigures:
    """The figures of all processes of a stack. Each sample says in the label `process` whose it is."""

    def __init__(self, folder: Path, name: str, shown: Shown) -> None:
        """`name` and `shown`: of this process; the others are found in the run folder."""
        self._folder, self._name, self._shown = folder, name, shown

    async def text(self, own: CollectorRegistry) -> bytes:
        """Return the portal's, those of its process and those of the others, as far as they answer."""
        names = sorted(path.name.removesuffix(_SUFFIX) for path in self._folder.glob(f"*{_SUFFIX}"))
        async with httpx.AsyncClient(timeout=_PATIENCE_S, trust_env=False) as http:
            texts = await asyncio.gather(*(self._ask(http, name) for name in names))
        return await asyncio.to_thread(self._merged, own, dict(zip(names, texts, strict=True)))

    async def _ask(self, http: httpx.AsyncClient, name: str) -> str | None:
        try:
            port = int((self._folder / f"{name}{_SUFFIX}").read_text())
            answer = await http.get(f"http://{HOST}:{port}/metrics")
            return answer.raise_for_status().text
        except (OSError, ValueError, httpx.HTTPError) as error:
            log.warning("metrics_unreadable", process=name, error=type(error).__name__)
            return None

    def _merged(self, own: CollectorRegistry, texts: dict[str, str | None]) -> bytes:
        up = GaugeMetricFamily("poolwatch_process_up", "Whether a process of the stack answers.", labels=["process"])
        up.add_metric([self._name], 1)
        page = _Page()
        page.add(self._name, own.collect())
        page.add(self._name, self._shown.collect())
        for name, text in texts.items():
            up.add_metric([name], 0 if text is None else 1)
            page.add(name, text_string_to_metric_families(text or ""))
        page.families[up.name] = up
        return generate_latest(page)


class _Page:
    """Metrics by name, the samples of all processes together: a page may name a metric once."""

    def __init__(self) -> None:
        self.families: dict[str, Metric] = {}

    def add(self, process: str, metrics: Iterable[Metric]) -> None:
        for metric in metrics:
            family = self.families.setdefault(metric.name, Metric(metric.name, metric.documentation, metric.type))
            family.samples += [
                sample._replace(labels={"process": process, **sample.labels}) for sample in metric.samples
            ]

    def collect(self) -> Iterable[Metric]:
        return self.families.values()
