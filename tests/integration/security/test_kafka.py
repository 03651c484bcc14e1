"""Every way into a secured Kafka, by the clients of the product: what goes in comes out, what is wrong is said."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from pydantic import SecretStr

from portal.services import utc_now
from runtime import kafka as clients
from runtime import topics
from runtime.broker_check import why_not
from runtime.broker_errors import (
    BrokerError,
    BrokerUnreachableError,
    BrokerUntrustedError,
    CredentialsRefusedError,
    ProtocolMismatchError,
    TokenError,
)
from runtime.settings import Kafka, variable
from schemas.identifiers import subject_key
from schemas.times import format_time
from tests.support.certificates import Authority
from tests.support.kafka_secure import SecureKafka, running_secure_kafka, skip_without_secure_kafka
from tests.support.ports import HOST, free_port

WAYS = ("mtls", "SCRAM-SHA-256", "SCRAM-SHA-512", "PLAIN", "OAUTHBEARER")
WORKER = """
from runtime.metrics.health import Health
from runtime.settings import load
from runtime.worker import run_worker
raise SystemExit(run_worker(load(), ["meter", "counter"], Health()))
"""


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureKafka]:
    skip_without_secure_kafka()
    with running_secure_kafka(tmp_path_factory.mktemp("secure-kafka")) as running:
        yield running


def ours(kafka: Kafka, prefix: str, **more: Any) -> Kafka:
    return kafka.model_copy(update={"topic_prefix": prefix, "partitions": 1, **more})


@asynccontextmanager
async def started(client: Any) -> AsyncIterator[Any]:
    try:
        await client.start()
        yield client
    finally:
        await (client.close() if hasattr(client, "close") else client.stop())


async def make_topics(kafka: Kafka) -> None:
    async with started(clients.admin(kafka)) as admin:
        await topics.ensure(admin, kafka.topic_prefix, kafka.partitions)


async def record_of(kafka: Kafka, topic: str, key: bytes) -> Any:
    """Return the first record of a key, as a portal reads."""
    async with started(clients.reader(kafka)) as reader, asyncio.timeout(30):
        reader.assign([TopicPartition(kafka.topic_prefix + topic, 0)])
        async for record in reader:
            if record.key == key:
                return record
        raise AssertionError("a reader never ends")


@pytest.mark.parametrize("way", WAYS)
async def test_topics_are_made_and_what_is_produced_is_read(secure: SecureKafka, prefix: str, way: str) -> None:
    kafka = ours(secure.way(way), prefix)
    await make_topics(kafka)
    async with started(clients.producer(kafka)) as producer:
        await producer.send_and_wait(prefix + "assignments", way.encode(), b"key", partition=0)
    assert way.encode() == (await record_of(kafka, "assignments", b"key")).value


def variables(kafka: Kafka) -> dict[str, str]:
    """Return the settings as an operator gives them."""
    given = {name: getattr(kafka, name) for name in kafka.model_fields_set}
    return {
        variable(("kafka", name)): value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        for name, value in given.items()
    }


def _end_of(log: Path) -> str:
    return log.read_text()[-6_000:]


@asynccontextmanager
async def meter_and_counter(kafka: Kafka, log: Path) -> AsyncIterator[None]:
    """Run both in one process, as `poolwatch run` does; they must end cleanly when they are told to."""
    with log.open("wb") as output:
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-c", WORKER, env=os.environ | variables(kafka), stdout=output, stderr=output
        )
        try:
            yield
        except BaseException:
            sys.stderr.write(_end_of(log))
            raise
        finally:
            if child.returncode is None:
                child.terminate()
            async with asyncio.timeout(30):
                assert await child.wait() == 0, _end_of(log)


@pytest.mark.parametrize("way", ["SCRAM-SHA-512", "OAUTHBEARER"])
async def test_an_event_becomes_a_count(secure: SecureKafka, prefix: str, way: str, tmp_path: Path) -> None:
    kafka = ours(secure.way(way), prefix)
    await make_topics(kafka)
    event = {
        "type": "phone_number",
        "tenant": "acme",
        "subject": "user:ana",
        "observed_at": format_time(utc_now()),
        "source": "test",
        "facts": {"number": "+15550100", "number_type": "operatorConnect"},
    }
    async with started(clients.producer(kafka)) as producer, meter_and_counter(kafka, tmp_path / "worker.log"):
        key = subject_key("acme", "user:ana")
        await producer.send_and_wait(prefix + "assignments", json.dumps(event).encode(), key, partition=0)
        count = json.loads(bytes((await record_of(kafka, "license-counts", b"acme")).value))
    assert ("acme", 1) == (count["tenant"], count["currently_licensed"])


async def refused(kafka: Kafka) -> BrokerError:
    """Return why a client of the product cannot start."""
    client = clients.admin(kafka)
    with pytest.raises(Exception) as caught:  # noqa: PT011 -- aiokafka says the same of everything
        async with asyncio.timeout(30), started(client):
            await client.list_topics()
    return await why_not(kafka, caught.value)


@pytest.mark.parametrize("way", ["SCRAM-SHA-256", "PLAIN"])
async def test_a_wrong_password_is_said_and_not_repeated(secure: SecureKafka, way: str) -> None:
    wrong = secure.password(way).model_copy(update={"sasl_password": SecretStr("wrong-horse")})
    reason = await refused(wrong)
    assert CredentialsRefusedError is type(reason)
    assert str(reason) == (
        f"Kafka at {secure.at('SCRAM')} refuses user or password ({way}): correct POOLWATCH_KAFKA_SASL_USERNAME and"
        " POOLWATCH_KAFKA_SASL_PASSWORD"
    )


async def test_certificates_that_are_not_to_be_trusted_are_told_apart(secure: SecureKafka) -> None:
    by_password = secure.password("SCRAM-SHA-256")
    cases = {
        "signed by an authority that is not trusted here: set POOLWATCH_KAFKA_SSL_CAFILE": [
            by_password.model_copy(update={"ssl_cafile": secure.other_ca}),
            by_password.model_copy(update={"ssl_cafile": None}),
        ],
        "certificate is not for localhost": [
            by_password.model_copy(update={"bootstrap": secure.at("SCRAM", "localhost")})
        ],
        "certificate has expired": [secure.mtls().model_copy(update={"bootstrap": secure.at("EXPIRED")})],
    }
    for said, settings in cases.items():
        for kafka in settings:
            reason = await refused(kafka)
            assert BrokerUntrustedError is type(reason), reason
            assert said in str(reason)


async def test_a_client_certificate_is_asked_for_and_one_of_another_authority_refused(
    secure: SecureKafka, tmp_path: Path
) -> None:
    bare = secure.mtls().model_copy(update={"ssl_certfile": None, "ssl_keyfile": None})
    reason = await refused(bare)
    assert CredentialsRefusedError is type(reason), reason
    assert "it asks clients for a certificate: set POOLWATCH_KAFKA_SSL_CERTFILE" in str(reason)

    foreign = Authority(tmp_path, "foreign").sign("stranger")
    shown = {"ssl_certfile": foreign.certificate, "ssl_keyfile": foreign.key}
    reason = await refused(secure.mtls().model_copy(update=shown))
    assert CredentialsRefusedError is type(reason), reason
    assert "it refuses the certificate of POOLWATCH_KAFKA_SSL_CERTFILE" in str(reason)


async def test_clients_and_listeners_that_do_not_fit_are_told_which_protocol_does(secure: SecureKafka) -> None:
    by_password, mtls = secure.password("SCRAM-SHA-256"), secure.mtls()
    plain = Kafka(bootstrap=secure.at("PLAINTEXT"))
    cases = [
        (plain.model_copy(update={"bootstrap": secure.at("MTLS")}), "speaks TLS", "set it to SSL"),
        (secure.password("SCRAM-SHA-256", "CLEAR").model_copy(update={"bootstrap": secure.at("SCRAM")}),
         "speaks TLS", "set it to SASL_SSL"),
        (mtls.model_copy(update={"bootstrap": secure.at("PLAINTEXT")}), "does not speak TLS", "set it to PLAINTEXT"),
        (by_password.model_copy(update={"bootstrap": secure.at("CLEAR")}),
         "does not speak TLS", "set it to SASL_PLAINTEXT"),
        (plain.model_copy(update={"bootstrap": secure.at("CLEAR")}), "hangs up", "to SASL_PLAINTEXT"),
        (mtls.model_copy(update={"bootstrap": secure.at("SCRAM")}), "hangs up", "to SASL_SSL"),
        (secure.password("SCRAM-SHA-256", "CLEAR").model_copy(update={"bootstrap": secure.at("PLAINTEXT")}),
         "has nobody sign in", "to PLAINTEXT"),
        (secure.password("PLAIN", "CLEAR"), "lets nobody sign in by PLAIN", "POOLWATCH_KAFKA_SASL_MECHANISM"),
    ]  # fmt: skip
    for kafka, said, todo in cases:
        reason = await refused(kafka)
        assert ProtocolMismatchError is type(reason), (kafka.bootstrap, said, reason)
        assert said in str(reason)
        assert todo in str(reason)


async def test_tokens_that_are_not_given_or_not_taken_are_told_apart(secure: SecureKafka, tmp_path: Path) -> None:
    oauth = secure.oauth()
    reason = await refused(oauth.model_copy(update={"oauth_client_secret": SecretStr("wrong-horse")}))
    assert TokenError is type(reason)
    assert f"the token endpoint {secure.token_url} refuses (invalid_client): check POOLWATCH_KAFKA_OAUTH" in str(reason)
    assert "wrong-horse" not in str(reason)

    away = f"http://{HOST}:{free_port()}/token"
    reason = await refused(oauth.model_copy(update={"oauth_token_url": away}))
    assert TokenError is type(reason)
    assert f"{away} gives no token" in str(reason)

    reason = await refused(oauth.model_copy(update={"oauth_scope": "somebody-else"}))
    assert CredentialsRefusedError is type(reason)
    assert "refuses the token" in str(reason)


async def test_a_token_file_is_read_again_at_each_connection(secure: SecureKafka, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(secure.tokens.token("somebody-else"))
    nothing = {"oauth_token_url": None, "oauth_client_id": None, "oauth_client_secret": None}
    kafka = secure.oauth().model_copy(update=nothing | {"oauth_token_file": file})
    client = clients.admin(kafka)
    reason = await refused(kafka)
    assert CredentialsRefusedError is type(reason)

    file.write_text(secure.tokens.token())
    async with started(client):
        assert isinstance(await client.list_topics(), list)


async def test_one_fetched_token_serves_many_connections(secure: SecureKafka) -> None:
    options = clients.connection(secure.oauth())
    before = secure.tokens.issued
    for _ in range(2):
        async with started(AIOKafkaAdminClient(**options)) as client:
            await client.list_topics()
    assert 1 == secure.tokens.issued - before


async def test_a_broker_that_is_away_is_told_by_its_address() -> None:
    address = f"{HOST}:{free_port()}"
    reason = await refused(Kafka(bootstrap=address))
    assert BrokerUnreachableError is type(reason)
    assert f"no Kafka broker answers at {address}" in str(reason)


def cli(kafka: Kafka, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command as a process: one that ends by a refusal leaves its sockets to the system."""
    command = [sys.executable, "-m", "runtime.cli.main", *arguments]
    environment = os.environ | variables(kafka)
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_a_process_that_is_refused_ends_and_says_why(secure: SecureKafka, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("wrong-horse\n")
    given = secure.password("SCRAM-SHA-512").model_dump(exclude_unset=True, exclude={"sasl_password"})
    ended = cli(Kafka.model_validate(given | {"sasl_password_file": file}), "run", "meter")
    assert 1 == ended.returncode
    assert f"poolwatch: Kafka at {secure.at('SCRAM')} refuses user or password" in ended.stderr
    assert "wrong-horse" not in ended.stderr + ended.stdout
