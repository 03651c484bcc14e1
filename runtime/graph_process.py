"""Owns the process of a Graph collector: clients started, put together, run until a signal."""

import asyncio
import contextlib
import functools
import logging
import random
from collections.abc import AsyncIterator, Coroutine, Mapping
from typing import Any

import httpx
import uvicorn
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from collectors.feed import publish_all
from collectors.graph import metrics as graph_metrics
from collectors.graph.api.client import GraphClient
from collectors.graph.api.clouds import CLOUDS, Cloud
from collectors.graph.api.limits import MOST_SLOW, Limits
from collectors.graph.api.tokens import MsalTokens
from collectors.graph.collector import GraphCollector
from collectors.graph.notify.notifications import receiver
from collectors.graph.notify.subscriptions import Address
from collectors.graph.published import PublishedHints, PublishedStates
from collectors.graph.reading.rounds import Outlet
from collectors.graph.schedule import Schedule
from collectors.graph.visit import Visitor
from collectors.outgoing import command
from collectors.publisher import KafkaPublisher
from portal.services import utc_now
from runtime import kafka
from runtime.broker_check import why_not
from runtime.cli.client import Api
from runtime.cli.sync_history import ApiHistory
from runtime.graph_access import GraphSetupError, certificate_ends, credential
from runtime.graph_roster import Roster
from runtime.installation import group_base
from runtime.metrics.health import Health
from runtime.portal_process import PortalError, listen
from runtime.settings import Graph, Settings
from runtime.signals import until_told
from runtime.web_server import serve
from runtime.worker import options_of
from schemas.commands import Notified
from schemas.settings import CloudName
from schemas.topics import full_name
from streams.settings_reader import SettingsReader

SESSION_TIMEOUT_S = 10.0
"""A collector that is silent for so long loses its tenants."""
REQUESTS_AT_A_TIME = 64
_TALKATIVE = ("aiokafka", "httpcore", "msal")
"""What these log at debug holds whole records and answers: names, numbers, places of delta."""
_CONNECT_S = 10.0
_PORTAL_S = 10.0
_STOP_S = 8.0
_ANSWER_S = 50.0


class CollectorProcessError(Exception):
    """The collector cannot run; the text says why, and what to do."""


def run_collector(
    settings: Settings,
    health: Health,
    *,
    clouds: Mapping[CloudName, Cloud] = CLOUDS,
    login_http: Any = None,
    session_timeout_s: float = SESSION_TIMEOUT_S,
) -> None:
    """Collect until SIGTERM or Ctrl-C. `login_http` is msal's seam. Raises CollectorProcessError and PortalError."""
    for library in _TALKATIVE:
        logging.getLogger(library).setLevel(logging.WARNING)
    try:
        asyncio.run(until_told(_collect(settings, health, clouds, login_http, session_timeout_s)))
    except ExceptionGroup as group:
        ours = group.subgroup((CollectorProcessError, PortalError))
        raise (ours.exceptions[0] if ours else group) from None


async def _collect(
    settings: Settings,
    health: Health,
    clouds: Mapping[CloudName, Cloud],
    login_http: Any,
    session_timeout_s: float,
) -> None:
    health.watch(asyncio.get_running_loop())
    own, graph = settings.kafka, settings.graph
    address = _address(graph)
    async with contextlib.AsyncExitStack() as stack:
        tokens = _tokens(graph, login_http)
        stack.callback(tokens.close)
        limits = httpx.Limits(
            max_connections=REQUESTS_AT_A_TIME + MOST_SLOW, max_keepalive_connections=REQUESTS_AT_A_TIME
        )
        timeout = httpx.Timeout(_ANSWER_S, connect=_CONNECT_S)
        http = await stack.enter_async_context(httpx.AsyncClient(limits=limits, timeout=timeout))
        api = stack.enter_context(Api(settings.url, settings.token, _PORTAL_S))
        producer = await stack.enter_async_context(_started(kafka.producer(own, linger_ms=5), settings))
        new_publisher = functools.partial(KafkaPublisher, producer, own.topic_prefix)
        history = ApiHistory(api)
        states = PublishedStates(producer, own.topic_prefix, own.partitions)
        collector = GraphCollector(
            Visitor(
                GraphClient(http, tokens, Limits(app=REQUESTS_AT_A_TIME)),
                lambda: Outlet(new_publisher(), own.partitions, history, utc_now),
                PublishedHints(new_publisher, own.partitions, utc_now),
                address,
                utc_now,
                beta=graph.beta,
            ),
            Schedule(graph.poll_s, graph.full_s, random.random),
            states,
            utc_now,
        )
        graph_metrics.registry.register(graph_metrics.Tenants(collector))
        graph_metrics.CREDENTIAL_ENDS.set(certificate_ends(graph))
        failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def fail(error: BaseException) -> None:
            if not failed.done():
                failed.set_exception(error)

        reader = SettingsReader(
            options_of(own),
            lambda tenant: roster.settings_changed(tenant),  # noqa: PLW0108 -- the roster needs the reader first
            fail,
        )
        roster = Roster(collector, states, reader.book, options_of(own), clouds, utc_now, fail)
        await reader.start()
        stack.push_async_callback(lambda: _in_time(reader.stop()))
        commands = await stack.enter_async_context(_commands(settings, roster, session_timeout_s))

        async def notify(told: Notified) -> None:
            await publish_all([command(told)], new_publisher(), own.partitions)

        health.ready()
        async with asyncio.TaskGroup() as group:
            group.create_task(collector.run(), name="graph-errands")
            group.create_task(roster.follow_settings(), name="graph-settings")
            group.create_task(_take_commands(commands, roster), name="graph-commands")
            group.create_task(_raise(failed), name="graph-settings-reader")
            if address is not None:
                listener = listen(graph.listen_host, graph.listen_port)
                stack.callback(listener.close)
                app = receiver(address.key, roster.ms_tenant_of, notify, utc_now)
                config = uvicorn.Config(app, log_config=None, access_log=False, server_header=False)
                group.create_task(serve(config, listener), name="graph-notifications")


def _tokens(graph: Graph, login_http: Any) -> MsalTokens:
    try:
        return MsalTokens(graph.client_id or "", credential(graph), http_client=login_http)
    except GraphSetupError as error:
        raise CollectorProcessError(str(error)) from error


def _address(graph: Graph) -> Address | None:
    if graph.notification_url is None:
        return None
    if graph.notification_key is None:
        raise CollectorProcessError(
            "POOLWATCH_GRAPH_NOTIFICATION_URL is set and POOLWATCH_GRAPH_NOTIFICATION_KEY is not: set it to a secret of"
            " at least 16 characters, the same for all collectors, for notifications are recognised by it"
        )
    return Address(graph.notification_url, graph.notification_key.get_secret_value())


async def _in_time(stopping: Coroutine[Any, Any, None]) -> None:
    """Stop a client of the broker, but not for ever: one that is away answers to nothing, and what it has not confirmed
    is read and told again by whoever comes next."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_STOP_S):
            await stopping


@contextlib.asynccontextmanager
async def _started(client: Any, settings: Settings) -> AsyncIterator[Any]:
    try:
        await client.start()
        yield client
    except (KafkaError, OSError) as error:
        raise CollectorProcessError(str(await why_not(settings.kafka, error))) from error
    finally:
        await _in_time(client.stop())


@contextlib.asynccontextmanager
async def _commands(settings: Settings, roster: Roster, session_timeout_s: float) -> AsyncIterator[AIOKafkaConsumer]:
    own, session_ms = settings.kafka, int(session_timeout_s * 1_000)
    consumer = AIOKafkaConsumer(
        **kafka.connection(own),
        group_id=f"{group_base(own.topic_prefix)}-graph",
        # What was asked before a collector ever ran is answered by the full syncs that it begins with.
        auto_offset_reset="latest",
        session_timeout_ms=session_ms,
        heartbeat_interval_ms=session_ms // 6,
        # Taking over many tenants reads what is known of them, within the rebalance.
        max_poll_interval_ms=600_000,
        rebalance_timeout_ms=session_ms,
    )
    consumer.subscribe([full_name(own.topic_prefix, "commands")], listener=roster)
    async with _started(consumer, settings):
        yield consumer


async def _take_commands(consumer: AIOKafkaConsumer, roster: Roster) -> None:
    async for record in consumer:
        roster.take(record.value)


async def _raise(failed: asyncio.Future[None]) -> None:
    try:
        await failed
    except (KafkaError, OSError, ValueError) as error:
        raise CollectorProcessError(
            f"what the tenants are cannot be read from Kafka any more ({type(error).__name__}: {error}): check that the"
            " broker runs and that its topics exist (`poolwatch topics`), then start the collector again"
        ) from error
