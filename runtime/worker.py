"""Owns the process of meters, counters and alerts: topics checked, Faust apps made from the settings and run until a
signal."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal

from aiokafka.errors import KafkaError

from runtime import kafka, topics
from runtime.alerting import alerting
from runtime.broker_check import why_not
from runtime.installation import group_base
from runtime.kafka_security import security
from runtime.metrics.health import Health
from runtime.settings import Kafka, Settings
from streams.alerts import new_alerts_app
from streams.batch_transport import BatchApp
from streams.counter import new_counter_app
from streams.kafka import KafkaOptions
from streams.meter import new_meter_app
from streams.metrics.partitions import is_ready
from streams.run import run_apps

Role = Literal["meter", "counter", "alerts"]


class WorkerError(Exception):
    """A worker cannot start; the text says why, and what to do."""


def run_worker(settings: Settings, roles: Sequence[Role], health: Health) -> int:
    """Run these roles until SIGTERM or Ctrl-C; return the exit code. Raises WorkerError and TopicsError."""
    asyncio.run(_check(settings.kafka))
    health.is_ready = lambda: all(map(is_ready, roles))
    return run_apps([app_of(role, settings, options_of(settings.kafka)) for role in roles], health.watch)


def app_of(
    role: Role, settings: Settings, options: KafkaOptions, on_ready: Callable[[], None] | None = None
) -> Callable[[], BatchApp]:
    """Return what makes the Faust app of a role, for `streams.run`."""
    match role:
        case "meter":
            return partial(new_meter_app, options, on_ready)
        case "counter":
            return partial(new_counter_app, options, on_ready)
        case "alerts":
            return partial(new_alerts_app, options, *alerting(settings), on_ready)


async def _check(own: Kafka) -> None:
    admin = kafka.admin(own)
    try:
        await admin.start()
        existing = await topics.describe(admin, own.topic_prefix)
    except (KafkaError, OSError) as error:
        raise WorkerError(str(await why_not(own, error))) from error
    finally:
        await admin.close()
    topics.refuse_missing(existing, own.topic_prefix)
    topics.refuse_others(existing, own.partitions)


def options_of(own: Kafka) -> KafkaOptions:
    """Return the settings of Kafka as the streams take them."""
    return KafkaOptions(
        bootstrap=own.bootstrap,
        prefix=own.topic_prefix,
        partitions=own.partitions,
        client=security(own),
        group=group_base(own.topic_prefix),
    )
