"""The brokers of the tests do what fault tests rely on: stop, start again, freeze, and say why they did not come up."""

import asyncio

import pytest

from runtime.embedded.child import ChildFailedError
from runtime.embedded.metadata import broker_count
from tests.support.kafka_apache import ApacheKafka
from tests.support.kafka_broker import KafkaBroker
from tests.support.kafka_clients import create_topic, producer_of, read_all
from tests.support.kafka_jars import missing_tools

needs_apache = pytest.mark.skipif(bool(missing_tools()), reason="Apache Kafka needs Java and Maven")


def address(broker: KafkaBroker) -> tuple[str, int]:
    host, _, port = broker.bootstrap.rpartition(":")
    return host, int(port)


async def test_a_restart_keeps_address_and_records(disposable_kafka: KafkaBroker, prefix: str) -> None:
    if not disposable_kafka.durable:
        pytest.skip("the embedded broker keeps nothing")
    before = disposable_kafka.bootstrap
    await create_topic(before, prefix + "kept")
    async with producer_of(before) as producer:
        await producer.send_and_wait(prefix + "kept", b"still here", key=b"k", partition=0)

    await asyncio.to_thread(disposable_kafka.restart)
    (record,) = await read_all(disposable_kafka.bootstrap, prefix + "kept", count=1)

    assert disposable_kafka.bootstrap == before
    assert record.value == b"still here"


async def test_a_crash_keeps_acknowledged_records(disposable_kafka: KafkaBroker, prefix: str) -> None:
    if not disposable_kafka.durable:
        pytest.skip("the embedded broker keeps nothing")
    await create_topic(disposable_kafka.bootstrap, prefix + "kept")
    async with producer_of(disposable_kafka.bootstrap) as producer:
        await producer.send_and_wait(prefix + "kept", b"still here", key=b"k", partition=0)

    disposable_kafka.kill()
    await asyncio.to_thread(disposable_kafka.start)

    assert [record.value for record in await read_all(disposable_kafka.bootstrap, prefix + "kept", 1)] == [
        b"still here"
    ]


def test_a_paused_broker_answers_nobody_until_it_is_resumed(disposable_kafka: KafkaBroker) -> None:
    disposable_kafka.pause()
    with pytest.raises(TimeoutError):
        broker_count(*address(disposable_kafka), timeout_s=0.5)

    disposable_kafka.resume()

    assert broker_count(*address(disposable_kafka), timeout_s=10) == 1


@needs_apache
def test_a_broker_that_does_not_come_up_says_why() -> None:
    broker = ApacheKafka()
    try:
        broker.properties_path.write_text(broker.properties_path.read_text() + "num.io.threads=none\n")
        with pytest.raises(ChildFailedError, match=r"num\.io\.threads"):
            broker.start()
    finally:
        broker.close()
