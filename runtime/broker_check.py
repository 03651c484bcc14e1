"""Owns the question why Kafka cannot be used: it connects by hand, step by step, for aiokafka's clients try address
after address and say in the end only that none would do."""

import asyncio
import ssl

from aiokafka.conn import AIOKafkaConnection, collect_hosts
from aiokafka.errors import (
    IllegalSaslStateError,
    KafkaConnectionError,
    KafkaError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.metadata import MetadataRequest

from runtime import tls
from runtime.broker_errors import (
    BrokerError,
    BrokerUnreachableError,
    BrokerUntrustedError,
    CredentialsRefusedError,
    ProtocolMismatchError,
    TokenError,
)
from runtime.kafka_security import TLS_NAMES, security
from runtime.settings import Kafka, variable

_ANSWER_S = 5.0
_GOODBYE_S = 0.1


async def why_not(kafka: Kafka, error: BaseException) -> BrokerError:
    """Return why Kafka cannot be used, after a client of it failed with an error. Takes seconds, not minutes.

    Asked are the addresses of the settings, and those that the brokers which answer name to clients.
    """
    check = _Check(kafka)
    reasons: list[BrokerError] = []
    for host, port, _ in collect_hosts(kafka.bootstrap, randomize=False):
        try:
            for advertised in await check.brokers(host, port):
                await check.brokers(*advertised)
        except BrokerError as reason:
            reasons.append(reason)
        else:
            said = str(error).strip().split("\n")[0][:300]
            return BrokerError(
                f"Kafka at {host}:{port} answers, and does not do what is asked ({type(error).__name__}: {said}): look"
                " at its log, and at what the user may do there"
            )
    # aiokafka hangs up without waiting for the other side; a loop that ended now would leave sockets open.
    await asyncio.sleep(_GOODBYE_S)
    # That one of several brokers is away says less than why another one refuses.
    return min(reasons, key=lambda reason: isinstance(reason, BrokerUnreachableError))


class _Check:
    """One connection at a time, secured as the clients' are."""

    def __init__(self, kafka: Kafka) -> None:
        self._kafka = kafka
        self._options = security(kafka)

    async def brokers(self, host: str, port: int) -> list[tuple[str, int]]:
        """Connect as a client does, and ask where the brokers are. Raises BrokerError."""
        connection = AIOKafkaConnection(host, port, request_timeout_ms=int(_ANSWER_S * 1_000), **self._options)
        try:
            try:
                await connection.connect()
            except (OSError, KafkaError) as error:
                raise await self._why_no_connection(error, host, port) from error
            try:
                answer = await connection.send(MetadataRequest([]))
            except KafkaError as error:
                raise self._why_no_answer(error, host, port) from error
        finally:
            connection.close()
        return [(broker[1], broker[2]) for broker in answer.brokers]

    async def _why_no_connection(self, error: Exception, host: str, port: int) -> BrokerError:
        where, protocol = f"Kafka at {host}:{port}", self._kafka.security_protocol
        if isinstance(error, TokenError):
            return error
        if found := self._tls_fault(error, host, port):
            return found
        if isinstance(error, SaslAuthenticationFailed):
            return self._refused(where)
        if isinstance(error, UnsupportedSaslMechanismError):
            return ProtocolMismatchError(
                f"{where} lets nobody sign in by {self._kafka.sasl_mechanism}: set {_named('sasl_mechanism')} to one"
                " that it offers"
            )
        if isinstance(error, IllegalSaslStateError):
            return ProtocolMismatchError(
                f"{where} has nobody sign in there: set {_named('security_protocol')} to"
                f" {protocol.removeprefix('SASL_')}"
            )
        if isinstance(error, KafkaConnectionError | ssl.SSLError | ConnectionResetError):
            return await self._hung_up(where, host, port)
        return BrokerUnreachableError(
            f"no Kafka broker answers at {host}:{port}: start one (`poolwatch up` brings its own), or set"
            f" {_named('bootstrap')}"
        )

    def _why_no_answer(self, error: Exception, host: str, port: int) -> BrokerError:
        where, protocol = f"Kafka at {host}:{port}", self._kafka.security_protocol
        if found := self._tls_fault(error, host, port):
            return found
        if protocol.startswith("SASL"):
            return BrokerUnreachableError(f"{where} hangs up after letting the user in: look at its log")
        return ProtocolMismatchError(
            f"{where} hangs up on clients that do not sign in: set {_named('security_protocol')} to SASL_{protocol}"
        )

    def _tls_fault(self, error: Exception, host: str, port: int) -> BrokerError | None:
        found = tls.fault(error, host, TLS_NAMES, has_certificate=self._kafka.ssl_certfile is not None)
        if found is None:
            return None
        kind = BrokerUntrustedError if found.untrusted else CredentialsRefusedError
        return kind(f"Kafka at {host}:{port} cannot be used over TLS: {found.said}")

    def _refused(self, where: str) -> CredentialsRefusedError:
        mechanism = self._kafka.sasl_mechanism
        if mechanism == "OAUTHBEARER":
            return CredentialsRefusedError(
                f"{where} refuses the token: compare its issuer, audience and life with what the broker is set to take"
            )
        return CredentialsRefusedError(
            f"{where} refuses user or password ({mechanism}): correct {_named('sasl_username')} and"
            f" {_named('sasl_password')}"
        )

    async def _hung_up(self, where: str, host: str, port: int) -> BrokerError:
        """Say what a broker may have wanted that hung up without a word."""
        protocol, name = self._kafka.security_protocol, _named("security_protocol")
        speaks_tls = await _speaks_tls(host, port)
        if protocol.endswith("SSL") and not speaks_tls:
            plain = protocol.removesuffix("SSL") + "PLAINTEXT"
            return ProtocolMismatchError(f"{where} does not speak TLS, and {name} is {protocol}: set it to {plain}")
        if speaks_tls and not protocol.endswith("SSL"):
            secured = protocol.replace("PLAINTEXT", "SSL")
            return ProtocolMismatchError(f"{where} speaks TLS, and {name} is {protocol}: set it to {secured}")
        return BrokerUnreachableError(f"{where} hangs up: check that it is a Kafka broker, and look at its log")


async def _speaks_tls(host: str, port: int) -> bool:
    try:
        async with asyncio.timeout(_ANSWER_S):
            _, writer = await asyncio.open_connection(host, port, ssl=ssl.create_default_context())
    except ssl.SSLCertVerificationError:
        return True  # whether it is to be trusted is another question
    except OSError:
        return False
    writer.close()
    return True


def _named(name: str) -> str:
    return variable(("kafka", name))
