"""Owns the process of the embedded stack that holds the storage: rebuild at its start, then sink, portal and demo in
one loop."""

import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path

from aiokafka import AIOKafkaProducer

from portal.services import utc_now
from runtime import kafka, topics
from runtime.clickhouse.errors import StorageError
from runtime.clickhouse.migrate import migrate
from runtime.clickhouse.pool import ClientPool, open_pool
from runtime.clickhouse.reload import is_empty
from runtime.embedded import demo as demo_provider
from runtime.embedded.demo import Demo
from runtime.embedded.marks import REBUILT_MARK, run_folder
from runtime.embedded.own_settings import SESSION_TIMEOUT_S, own_settings
from runtime.embedded.rebuild import rebuild
from runtime.installation import Installation
from runtime.logging import configure
from runtime.metrics.exposition import Shown
from runtime.metrics.health import Health
from runtime.metrics.merged import StackFigures
from runtime.metrics.process import registries_of
from runtime.portal_process import PortalError, clickhouse_store, clickhouse_tokens, listen, services, web_config
from runtime.settings import Settings
from runtime.sink_process import store
from runtime.tracing import traced
from runtime.web_server import serve
from streams.garbage import collect_rarely


def main() -> int:
    """Run the core: `python -m runtime.embedded.core BOOTSTRAP DATA PORT [--demo] [--fresh]`; return the exit code."""
    data, flags = Path(sys.argv[2]), sys.argv[4:]
    settings = own_settings(sys.argv[1], data, int(sys.argv[3]))
    configure(settings.log)
    try:
        with traced(settings.tracing, "core"):
            asyncio.run(_run(settings, data, demo="--demo" in flags, fresh="--fresh" in flags))
    except (StorageError, PortalError, topics.TopicsError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


async def _run(settings: Settings, data: Path, *, demo: bool, fresh: bool) -> None:
    main_task = asyncio.current_task()
    assert main_task is not None
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, main_task.cancel)
    listener = listen(settings.portal.host, settings.portal.port)
    with contextlib.suppress(asyncio.CancelledError), open_pool(settings.clickhouse) as pool:
        migrate(pool, settings.retention)
        producer = kafka.producer(settings.kafka)
        await producer.start()
        try:
            provider = await _prepare(settings, data, pool, producer, demo=demo, fresh=fresh)
            (run_folder(data) / REBUILT_MARK).touch()
            installation = Installation(settings.kafka, embedded=True)
            figures = StackFigures(run_folder(data), "core", Shown(registries_of("sink")))
            life = f"{os.getpid():x}"
            async with (
                services(installation, clickhouse_store(pool), clickhouse_tokens(pool), life, figures) as ready,
                asyncio.TaskGroup() as group,
            ):
                collect_rarely()
                Health().watch(loop)
                group.create_task(store(settings, pool, SESSION_TIMEOUT_S), name="sink")
                group.create_task(serve(web_config(ready), listener), name="portal")
                if provider is not None:
                    own = settings.kafka
                    telling = demo_provider.live(provider, producer, own.topic_prefix, own.partitions)
                    group.create_task(telling, name="demo")
        finally:
            await producer.stop()
            listener.close()


async def _prepare(
    settings: Settings, data: Path, pool: ClientPool, producer: AIOKafkaProducer, *, demo: bool, fresh: bool
) -> Demo | None:
    """Make and fill the topics of a fresh broker; return the demo that this data directory holds."""
    own = settings.kafka
    provider = Demo.load(data)
    if not fresh:
        return provider
    async with contextlib.AsyncExitStack() as stack:
        admin = kafka.admin(own)
        stack.push_async_callback(admin.close)
        await admin.start()
        await topics.ensure(admin, own.topic_prefix, own.partitions)
    if demo and provider is None and is_empty(pool):
        provider = Demo.begin(data, utc_now())
    if provider is not None and not provider.seeded:
        await asyncio.to_thread(demo_provider.seed, provider, pool, own.partitions)
        provider.seeded = True
        provider.save()
    await rebuild(pool, producer, own.topic_prefix, own.partitions)
    return provider


if __name__ == "__main__":
    sys.exit(main())
