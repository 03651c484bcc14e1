"""Exports go through a real Kafka and are counted from what lies there."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from collectors.importer import ImportOptions, run_import
from collectors.publisher import KafkaPublisher
from collectors.simulator import contoso
from licensing.factors import ALL, counted_factor
from schemas.commands import CommandModel
from schemas.identifiers import partition_of, subject_key
from schemas.intake import read_record
from tests.support.kafka_broker import KafkaBroker
from tests.support.kafka_clients import create_topic, producer_of, read_all
from tests.unit.collectors.importing import MemoryHistory, profiles_of

PARTITIONS = 8
NOW = datetime.now(UTC)
EXPORTED_AT = datetime(2026, 11, 2, tzinfo=UTC)


async def test_the_vendors_example_is_counted_from_the_topics(
    kafka: KafkaBroker, prefix: str, repository: Path
) -> None:
    for topic in ("user-changes", "assignments", "commands"):
        await create_topic(kafka.bootstrap, prefix + topic, PARTITIONS)
    folder = repository / "tests/data/vendor"
    async with producer_of(kafka.bootstrap) as producer:
        publisher = KafkaPublisher(producer, prefix)
        for kind, name in (
            ("users", "users.csv"),
            ("numbers", "numbers.csv"),
            ("dial-plan", "dialplan.csv"),
            ("events", "interface.jsonl"),
        ):
            summary = await run_import(
                kind,  # type: ignore[arg-type]  # a literal of the tuple above
                [folder / name],
                ImportOptions(tenant="contoso", observed_at=None if kind == "events" else EXPORTED_AT),
                publisher=publisher, partitions=PARTITIONS, history=MemoryHistory(), now=NOW,
            )  # fmt: skip
    events = await _events(kafka.bootstrap, prefix, summary.offsets)
    factors = (counted_factor(profile, ALL) for profile in profiles_of(events, contoso.settings()).values())
    expected = {"direct_routing": 200, "operator_connect": 100, "user_interface": 50, "service_number": 20}
    assert expected == Counter(factor.name for factor in factors if factor)
    commands = await read_all(kafka.bootstrap, prefix + "commands", 5)
    assert {"directory", "voice", "phone_number", "service_number", "dial_plan"} == {
        CommandModel.validate_json(record.value).facet for record in commands
    }


async def _events(bootstrap: str, prefix: str, offsets: dict[Any, int]) -> list[dict[str, Any]]:
    """Return every event, checked: the meter takes it, and it lies where its key belongs."""
    events: list[dict[str, Any]] = []
    for topic in ("user-changes", "assignments"):
        count = sum(offset + 1 for (name, _), offset in offsets.items() if name == topic)
        for record in await read_all(bootstrap, prefix + topic, count):
            assert [] == read_record(record.value, record.timestamp).rejections
            decoded = msgspec.json.decode(record.value)
            for event in decoded if isinstance(decoded, list) else [decoded]:
                if "subject" in event:
                    assert partition_of(subject_key(event["tenant"], event["subject"]), PARTITIONS) == record.partition
                events.append(event)
    return events
