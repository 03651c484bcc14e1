"""Owns the errors of a Kafka that cannot be used. Each is one sentence: what happened, to what, what to do next.

BrokerError
├── BrokerUnreachableError   nobody answers at the address
├── BrokerUntrustedError     it shows a certificate that is not trusted, has expired, or is for another name
├── ProtocolMismatchError    one side speaks TLS or asks to sign in, and the other does not
├── CredentialsRefusedError  it refuses the password, the token or the client's certificate
└── TokenError               no token can be had; also a KafkaError, for clients ask for one whenever they connect
"""

from aiokafka.errors import KafkaError


class BrokerError(Exception):
    """Kafka cannot be used; the text says why, and what to do."""


class BrokerUnreachableError(BrokerError):
    """Nobody answers at the address."""


class BrokerUntrustedError(BrokerError):
    """The broker shows a certificate that is not to be trusted."""


class ProtocolMismatchError(BrokerError):
    """One side speaks TLS or asks to sign in, and the other does not."""


class CredentialsRefusedError(BrokerError):
    """The broker refuses who asks."""


class TokenError(BrokerError, KafkaError):  # type: ignore[misc]  # aiokafka is untyped
    """No token can be had. A client that has one already goes on, and asks again when it connects the next time."""

    retriable = True
