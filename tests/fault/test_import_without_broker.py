"""A broker that goes away in mid-import ends the import with words, and importing again makes it whole."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from collectors.errors import PublishFailedError
from collectors.importer import ImportOptions, run_import
from collectors.publisher import KafkaPublisher
from collectors.summary import ImportSummary
from tests.support.kafka_broker import KafkaBroker
from tests.support.kafka_clients import create_topic, read_all
from tests.unit.collectors.importing import MemoryHistory

PARTITIONS = 2


async def import_users(bootstrap: str, prefix: str, path: Path, on_progress: object = None) -> ImportSummary:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", request_timeout_ms=2_000)
    await producer.start()
    try:
        return await run_import(
            "users", [path], ImportOptions(tenant="acme"), publisher=KafkaPublisher(producer, prefix),
            partitions=PARTITIONS, history=MemoryHistory(), now=datetime.now(UTC),
            on_progress=on_progress or (lambda _read, _total: None),  # type: ignore[arg-type]  # either is one
        )  # fmt: skip
    finally:
        await producer.stop()


async def test_an_import_survives_a_broker_that_went_away(
    disposable_kafka: KafkaBroker, prefix: str, tmp_path: Path
) -> None:
    if not disposable_kafka.durable:
        pytest.skip("this broker forgets its topics when it stops")
    bootstrap = disposable_kafka.bootstrap
    for topic in ("user-changes", "assignments", "commands"):
        await create_topic(bootstrap, prefix + topic, PARTITIONS)
    path = tmp_path / "users.csv"
    path.write_text("ObjectId,EnterpriseVoiceEnabled\n" + "".join(f"u{n},True\n" for n in range(20_000)))
    stopped: list[int] = []

    def stop_once(read: int, total: int) -> None:
        if not stopped and read > total // 2:
            stopped.append(read)
            disposable_kafka.stop()

    with pytest.raises(PublishFailedError, match=r"check that it runs .* then do the same again"):
        await import_users(bootstrap, prefix, path, stop_once)
    disposable_kafka.restart()
    summary = await import_users(bootstrap, prefix, path)

    assert ["completed"] == [sync.status for sync in summary.syncs]
    stored = sum(offset + 1 for (topic, _), offset in summary.offsets.items() if topic == "assignments")
    records = await read_all(bootstrap, prefix + "assignments", stored)
    last = {record.partition: record for record in sorted(records, key=lambda record: record.offset)}
    assert all(b"sync_completed" in record.value for record in last.values())
    assert set(range(20_000)) == {
        int(part.split(b'"')[0]) for record in records for part in record.value.split(b'"user:u')[1:]
    }
