"""Owns the portal's process: clients started, services put together, the web server run until a signal."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from importlib.metadata import version

import uvicorn
from aiokafka.errors import KafkaError

from portal.access.tokens import TokenBook, by_token_or
from portal.app import create_portal
from portal.figures import Figures, OwnFigures
from portal.kafka.alerts import EarlierAlerts
from portal.kafka.commands import KafkaCommands, KafkaConfirmations
from portal.kafka.durability import Durability
from portal.kafka.intake import KafkaIntake
from portal.kafka.live import LiveTopics
from portal.kafka.publishing import Publisher
from portal.metrics import Metrics
from portal.ports import Store
from portal.services import About, ApiTokens, Services, utc_now
from portal.store.store import ClickHouseStore
from portal.store.tokens import ClickHouseTokens
from runtime import kafka
from runtime.broker_check import why_not
from runtime.clickhouse.errors import StorageError
from runtime.clickhouse.pool import ClientPool, open_pool
from runtime.installation import Installation
from runtime.metrics.exposition import Shown
from runtime.metrics.health import Health
from runtime.portal_access import LOCAL, Access, AccessError, access_of, refuse_open_door
from runtime.settings import Kafka, Settings
from streams.garbage import collect_rarely


class PortalError(Exception):
    """The portal cannot run; the text says why, and what to do."""


async def serve(settings: Settings, shown: Shown, health: Health) -> None:
    """Run the portal until SIGTERM or Ctrl-C. Raises PortalError."""
    listener = listen(settings.portal.host, settings.portal.port)
    try:
        who = _access(settings, listener)
        with open_store(settings) as pool:
            installation = Installation(settings.kafka, embedded=False)
            async with services(installation, clickhouse_store(pool), clickhouse_tokens(pool)) as ready:
                metrics = Metrics(ready.live)
                shown.add(metrics.registry)
                health.is_ready = lambda: ready.live.ready
                health.watch(asyncio.get_running_loop())
                collect_rarely()
                await uvicorn.Server(web_config(ready, who, metrics)).serve(sockets=[listener])
    finally:
        listener.close()


def _access(settings: Settings, listener: socket.socket) -> Access:
    try:
        refuse_open_door(settings, listener)
        return access_of(settings.auth)
    except AccessError as error:
        raise PortalError(str(error)) from error


def listen(host: str, port: int) -> socket.socket:
    """Return a bound socket, so that a port in use is known before anything else starts. Raises PortalError."""
    try:
        listener = socket.create_server((host, port), reuse_port=False)
        # asyncio sees to it for sockets that it makes itself. Without it an answer in two writes takes 40 ms more: the
        # second waits until the client has acknowledged the first.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        return listener
    except OSError as error:
        raise PortalError(
            f"the portal cannot listen on {host}:{port}: {error.strerror}. Stop what listens there, or choose another"
            " port (POOLWATCH_PORTAL_PORT, or --port of `poolwatch up`)"
        ) from error


def web_config(ready: Services, who: Access = LOCAL, metrics: Metrics | None = None) -> uvicorn.Config:
    """Return the web server's configuration: our logging alone, streams cut when it is told to stop."""
    return uvicorn.Config(
        create_portal(ready, by_token_or(ready.tokens, who.recognise), who.entrance, metrics),
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=3,
    )


def open_store(settings: Settings) -> ClientPool:
    """Open ClickHouse. Raises PortalError."""
    try:
        return open_pool(settings.clickhouse)
    except StorageError as error:
        raise PortalError(str(error)) from error


def clickhouse_store(pool: ClientPool) -> Store:
    """Return the store on ClickHouse."""
    return ClickHouseStore(pool, utc_now)


def clickhouse_tokens(pool: ClientPool) -> ApiTokens:
    """Return the API tokens in ClickHouse."""
    return TokenBook(ClickHouseTokens(pool), utc_now)


@contextlib.asynccontextmanager
async def services(
    installation: Installation,
    store: Store,
    tokens: ApiTokens,
    generation: str = "",
    figures: Figures | None = None,
) -> AsyncIterator[Services]:
    """Open everything that the app needs. `generation` names the life of an embedded broker; `figures`: what stands at
    `/metrics` besides the portal's own. Raises PortalError."""
    own = installation.kafka
    async with contextlib.AsyncExitStack() as stack:
        try:
            producer = kafka.producer(own)
            stack.push_async_callback(producer.stop)
            await producer.start()
            counts = await _reader(stack, own)
            answers = await _reader(stack, own)
            durability: Durability = await stack.enter_async_context(installation.durability())
        except (KafkaError, OSError) as error:
            raise PortalError(str(await why_not(own, error))) from error
        publisher = Publisher(producer, own.topic_prefix)
        live = await stack.enter_async_context(LiveTopics(counts, own.topic_prefix, own.partitions, generation))
        commands = await stack.enter_async_context(
            KafkaCommands(publisher, answers, own.topic_prefix, own.partitions, durability, live.refreshes)
        )
        await stack.enter_async_context(EarlierAlerts(store, live))
        yield Services(
            store=store,
            live=live,
            sources=live.sources,
            settings=commands,
            refreshes=commands,
            intake=KafkaIntake(publisher, durability, own.partitions),
            syncs=KafkaConfirmations(publisher, durability, own.partitions),
            alerts=live.alerts,
            acknowledgements=commands,
            tokens=tokens,
            about=About(version("poolwatch"), installation.embedded, own.bootstrap, own.topic_prefix, own.partitions),
            figures=figures or OwnFigures(),
        )


async def _reader(stack: contextlib.AsyncExitStack, own: Kafka):  # type: ignore[no-untyped-def]  # aiokafka is untyped
    consumer = kafka.reader(own)
    stack.push_async_callback(consumer.stop)
    await consumer.start()
    return consumer
