"""Owns the Kafka clients of a process, made from the settings and not started."""

from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from runtime.kafka_security import security
from runtime.settings import Kafka


def connection(kafka: Kafka) -> dict[str, Any]:
    """Return the arguments of any aiokafka client that lead to the broker. Raises SettingsError."""
    return {"bootstrap_servers": kafka.bootstrap, **security(kafka)}


def producer(kafka: Kafka, *, linger_ms: int = 0) -> AIOKafkaProducer:
    """Return a producer that waits for all replicas. Not idempotent: the embedded broker cannot be."""
    return AIOKafkaProducer(**connection(kafka), acks="all", compression_type="lz4", linger_ms=linger_ms)


def reader(kafka: Kafka) -> AIOKafkaConsumer:
    """Return a consumer without a group; it reads what it is assigned, and follows a topic that was made anew."""
    return AIOKafkaConsumer(**connection(kafka), enable_auto_commit=False, auto_offset_reset="earliest")


def admin(kafka: Kafka) -> AIOKafkaAdminClient:
    """Return an admin client."""
    return AIOKafkaAdminClient(**connection(kafka))
