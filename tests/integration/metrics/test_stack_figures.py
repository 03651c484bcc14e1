"""The figures of several processes on one page."""

from pathlib import Path

from prometheus_client import CollectorRegistry, Counter
from prometheus_client.parser import text_string_to_metric_families

from runtime.metrics.exposition import Shown
from runtime.metrics.merged import StackFigures, figures_for_portal
from tests.support.ports import free_port


async def page(folder: Path) -> dict[tuple[str, str], float]:
    """Return the samples of a page by metric and process; each metric stands there once."""
    own = CollectorRegistry()
    Counter("poolwatch_of_the_portal", "Its own.", registry=own).inc(3)
    text = (await StackFigures(folder, "core", Shown()).text(own)).decode()
    families = list(text_string_to_metric_families(text))
    assert len({family.name for family in families}) == len(families)
    return {(s.name, s.labels["process"]): s.value for family in families for s in family.samples}


async def test_each_process_has_its_samples_on_the_page(tmp_path: Path) -> None:
    with figures_for_portal(tmp_path, "worker", "meter", "counter"):
        samples = await page(tmp_path)
    assert 3 == samples["poolwatch_of_the_portal_total", "core"]
    assert {"core", "worker"} == {who for name, who in samples if name == "process_resident_memory_bytes"}
    assert (1, 1) == (samples["poolwatch_process_up", "core"], samples["poolwatch_process_up", "worker"])
    assert ("poolwatch_meter_events_total", "core") not in samples


async def test_a_process_that_does_not_answer_is_down_and_the_others_are_shown(tmp_path: Path) -> None:
    (tmp_path / "worker.metrics").write_text(str(free_port()))
    (tmp_path / "collector.metrics").write_text("half a num")
    samples = await page(tmp_path)
    assert (0, 0) == (samples["poolwatch_process_up", "worker"], samples["poolwatch_process_up", "collector"])
    assert 3 == samples["poolwatch_of_the_portal_total", "core"]


async def test_a_process_that_has_ended_in_peace_is_no_longer_asked(tmp_path: Path) -> None:
    with figures_for_portal(tmp_path, "worker", "meter"):
        pass
    assert ("poolwatch_process_up", "worker") not in await page(tmp_path)
