"""Owns the Kafka clients of a process, made from the settings and not started."""

import ssl
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from runtime.settings import Kafka


def connection(kafka: Kafka) -> dict[str, Any]:
    """Return the arguments of any aiokafka client that lead to the broker."""
    options: dict[str, Any] = {"bootstrap_servers": kafka.bootstrap, "security_protocol": kafka.security_protocol}
    if kafka.security_protocol.endswith("SSL"):
        options["ssl_context"] = ssl.create_default_context(cafile=str(kafka.ssl_cafile) if kafka.ssl_cafile else None)
    if kafka.security_protocol.startswith("SASL"):
        options["sasl_mechanism"] = kafka.sasl_mechanism
        options["sasl_plain_username"] = kafka.sasl_username
        options["sasl_plain_password"] = kafka.sasl_password.get_secret_value() if kafka.sasl_password else None
    return options


def producer(kafka: Kafka, *, linger_ms: int = 0) -> AIOKafkaProducer:
    """Return a producer that waits for all replicas. Not idempotent: the embedded broker cannot be."""
    return AIOKafkaProducer(**connection(kafka), acks="all", compression_type="lz4", linger_ms=linger_ms)


def reader(kafka: Kafka) -> AIOKafkaConsumer:
    """Return a consumer without a group; it reads what it is assigned, and follows a topic that was made anew."""
    return AIOKafkaConsumer(**connection(kafka), enable_auto_commit=False, auto_offset_reset="earliest")


def admin(kafka: Kafka) -> AIOKafkaAdminClient:
    """Return an admin client."""
    return AIOKafkaAdminClient(**connection(kafka))
