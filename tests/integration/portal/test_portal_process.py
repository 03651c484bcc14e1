"""The portal's process: what stands in its way is told in words."""

import asyncio
import socket

import pytest

from portal.services import NoBroker
from runtime.installation import Installation
from runtime.portal_process import PortalError, listen, services
from runtime.settings import Kafka
from tests.support.command_line import run_cli
from tests.support.kafka_broker import KafkaBroker
from tests.support.portal_world import World
from tests.support.ports import free_port

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_port_in_use_is_told_with_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setenv("POOLWATCH_PORTAL_PORT", str(port))
        ended = await asyncio.to_thread(run_cli, "run", "portal")
    assert ended.code == 1
    assert f"the portal cannot listen on 127.0.0.1:{port}" in ended.err
    assert "POOLWATCH_PORTAL_PORT" in ended.err


async def test_no_answer_waits_for_the_client_to_acknowledge_its_first_half() -> None:
    with listen("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


async def test_a_broker_that_is_not_there_is_told_with_its_address(world: World) -> None:
    address = f"127.0.0.1:{free_port()}"
    own = world.services
    with pytest.raises(PortalError, match=f"no Kafka broker answers at {address}"):
        async with services(Installation(Kafka(bootstrap=address), embedded=False), own.store, own.tokens):
            pass


async def test_a_broker_that_goes_away_answers_503_and_nothing_is_lost(
    world: World, disposable_kafka: KafkaBroker, tenant: str
) -> None:
    if not disposable_kafka.controllable:
        pytest.skip("this broker may not be stopped")
    from datetime import UTC, datetime

    from portal.kafka.publishing import Outgoing, Publisher
    from runtime import kafka as clients
    from runtime import topics

    own = Kafka(bootstrap=disposable_kafka.bootstrap, topic_prefix="gone.", partitions=1)
    admin = clients.admin(own)
    await admin.start()
    await topics.ensure(admin, own.topic_prefix, 1)
    await admin.close()
    producer = clients.producer(own)
    await producer.start()
    try:
        publisher = Publisher(producer, own.topic_prefix, timeout_s=1.0)
        now_ms = int(datetime.now(UTC).timestamp() * 1_000)
        record = Outgoing("user-changes", 0, None, b"{}")
        assert await publisher.publish([record], now_ms) == {("user-changes", 0): 0}
        await asyncio.to_thread(disposable_kafka.pause)
        try:
            with pytest.raises(NoBroker, match="what arrives twice changes nothing"):
                await publisher.publish([record], now_ms)
        finally:
            await asyncio.to_thread(disposable_kafka.resume)
    finally:
        await producer.stop()


async def test_a_portal_that_others_reach_does_not_start_without_a_sign_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POOLWATCH_PORTAL_HOST", "0.0.0.0")
    monkeypatch.setenv("POOLWATCH_PORTAL_PORT", str(free_port()))
    ended = await asyncio.to_thread(run_cli, "run", "portal")
    assert ended.code == 1
    assert "the portal would listen on 0.0.0.0, which other machines reach, and ask nobody to sign in" in ended.err
    assert "POOLWATCH_AUTH_MODE=oidc" in ended.err
    monkeypatch.setenv("POOLWATCH_AUTH_MODE", "oidc")
    ended = await asyncio.to_thread(run_cli, "run", "portal")
    assert ended.code == 1
    assert "POOLWATCH_AUTH_PUBLIC_URL (auth.public_url in poolwatch.toml) is not set" in ended.err
