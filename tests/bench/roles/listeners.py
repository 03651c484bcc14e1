"""Listeners to the portal's stream, and the counts that they wait for: how long each took from Kafka to a listener.

All listen to all tenants. One in ten looks at every count it gets, the others let the bytes go; one more never reads.
"""

import asyncio
import json
import os
import re
import resource
import socket
import sys
import time
from contextlib import AsyncExitStack
from functools import partial
from typing import Any

import structlog
from aiokafka import AIOKafkaProducer

from runtime.logging import configure
from runtime.settings import Log
from schemas.identifiers import partition_of
from schemas.topics import full_name
from tests.bench.events import PARTITIONS
from tests.support.ports import HOST
from tests.support.sinking import count, instant

TENANTS = 1_000
PER_SECOND = 200
WARM_UP_S = 5.0
ONE_LOOKS = 10
_END_S = 20.0
_REQUEST = b"GET /api/v1/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n"
_VERSION = re.compile(rb'"version":(\d+)')
_BUFFER_BYTES = 256 * 1024

log = structlog.get_logger()


class Deliveries:
    """When each count was sent (its version is its number), and how long each took to each listener who looks."""

    def __init__(self) -> None:
        self.sent_at: list[float] = []
        self.milliseconds: list[float] = []
        self.seen = 0
        self.received_bytes = 0

    def saw(self, version: int) -> None:
        self.seen += 1
        self.milliseconds.append(1_000 * (time.monotonic() - self.sent_at[version - 1]))


class Listener(asyncio.BufferedProtocol):
    """A client of the stream that reads all it is sent."""

    _buffer = bytearray(_BUFFER_BYTES)  # of all: what one has received is looked at before another receives

    def __init__(self, deliveries: Deliveries, *, looks: bool) -> None:
        self._deliveries, self._looks = deliveries, looks
        self._rest = b""
        self.began = asyncio.get_running_loop().create_future()
        self.lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        transport.write(_REQUEST)

    def get_buffer(self, sizehint: int) -> bytearray:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        self._deliveries.received_bytes += nbytes
        if not self.began.done():
            self.began.set_result(None)
        if self._looks:
            whole, _, self._rest = (self._rest + self._buffer[:nbytes]).rpartition(b"\n")
            for found in _VERSION.finditer(whole):
                self._deliveries.saw(int(found[1]))

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True


async def run(arguments: dict[str, Any]) -> None:
    """Listen, publish for the given seconds, wait for the last count, log all latencies."""
    _spread()
    loop, port, deliveries = asyncio.get_running_loop(), arguments["port"], Deliveries()
    with socket.create_connection((HOST, port)) as never_reads:
        never_reads.sendall(_REQUEST)
        listeners: list[Listener] = []
        for number in range(arguments["listeners"]):
            made = partial(Listener, deliveries, looks=number % ONE_LOOKS == 0)
            _, listener = await loop.create_connection(made, HOST, port)
            listeners.append(listener)
        await asyncio.gather(*(listener.began for listener in listeners))
        log.info("bench_listening")
        async with AsyncExitStack() as stack:
            producer = AIOKafkaProducer(bootstrap_servers=arguments["bootstrap"], acks="all", compression_type="lz4")
            await producer.start()
            stack.push_async_callback(producer.stop)
            await _publish(producer, arguments["prefix"], deliveries, WARM_UP_S)
            warm = len(deliveries.sent_at)
            log.info("bench_warm")
            await _publish(producer, arguments["prefix"], deliveries, arguments["seconds"])
        due = len(deliveries.sent_at) * len(listeners[::ONE_LOOKS])
        end = time.monotonic() + _END_S
        while deliveries.seen < due and time.monotonic() < end:  # noqa: ASYNC110 -- has its deadline
            await asyncio.sleep(0.05)
        log.info(
            "bench_deliveries", milliseconds=deliveries.milliseconds[warm * len(listeners[::ONE_LOOKS]) :],
            unseen=due - deliveries.seen, lost=sum(listener.lost for listener in listeners),
            megabytes=deliveries.received_bytes / 1e6, cpu_s=time.process_time(),
        )  # fmt: skip


async def _publish(producer: AIOKafkaProducer, prefix: str, deliveries: Deliveries, seconds: float) -> None:
    topic, begin = full_name(prefix, "license-counts"), time.monotonic()
    for number in range(int(seconds * PER_SECOND)):
        await asyncio.sleep(max(begin + number / PER_SECOND - time.monotonic(), 0))
        version = len(deliveries.sent_at) + 1
        told = count(f"tenant-{version % TENANTS:05d}", version, instant(version), version % 500)
        key = told.tenant.encode()
        deliveries.sent_at.append(time.monotonic())
        await producer.send(topic, told.model_dump_json().encode(), key=key, partition=partition_of(key, PARTITIONS))
    await producer.flush()


def _spread() -> None:
    """Take the cores that the portal does not have, and as many files as there are listeners."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores - {min(cores)} or cores)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


if __name__ == "__main__":
    configure(Log(level="info", format="json"))
    asyncio.run(run(json.loads(sys.argv[1])))
