"""Apache Kafka with a listener for each way in: mTLS, SCRAM and PLAIN, OAUTHBEARER, and what clients may get wrong."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import SecretStr

from runtime.settings import Kafka
from tests.support import token_endpoint
from tests.support.certificates import KEY_PASSWORD, Authority
from tests.support.kafka_apache import ApacheKafka
from tests.support.kafka_jars import missing_tools
from tests.support.ports import HOST, free_ports
from tests.support.tls_server import served

USER, PASSWORD = "ana", "correct-horse"

_MODULES = "org.apache.kafka.common.security"
_LISTENERS = {
    "PLAINTEXT": "PLAINTEXT",
    "MTLS": "SSL",
    "SCRAM": "SASL_SSL",
    "OAUTH": "SASL_SSL",
    "CLEAR": "SASL_PLAINTEXT",
    "EXPIRED": "SSL",
}
_PASSWORDS = "SCRAM-SHA-256,SCRAM-SHA-512,PLAIN"


@dataclass(frozen=True)
class SecureKafka:
    """A broker that runs, and the settings that lead in."""

    broker: ApacheKafka
    ports: dict[str, int]
    ca: Path
    other_ca: Path
    client: Kafka
    """Settings of the client certificate, for whoever adds where to."""
    token_url: str
    tokens: token_endpoint.Tokens

    def at(self, listener: str, host: str = HOST) -> str:
        """Return the address of a listener."""
        return f"{host}:{self.ports[listener]}"

    def mtls(self) -> Kafka:
        """By a client certificate."""
        return self.client.model_copy(update={"bootstrap": self.at("MTLS")})

    def password(self, mechanism: str, listener: str = "SCRAM") -> Kafka:
        """By user and password."""
        return Kafka.model_validate(
            {
                "bootstrap": self.at(listener),
                "security_protocol": _LISTENERS[listener],
                "sasl_mechanism": mechanism,
                "sasl_username": USER,
                "sasl_password": PASSWORD,
                "ssl_cafile": self.ca,
            }
        )

    def oauth(self) -> Kafka:
        """By a token of the endpoint."""
        return Kafka(
            bootstrap=self.at("OAUTH"),
            security_protocol="SASL_SSL",
            sasl_mechanism="OAUTHBEARER",
            ssl_cafile=self.ca,
            oauth_token_url=self.token_url,
            oauth_client_id=token_endpoint.CLIENT_ID,
            oauth_client_secret=SecretStr(token_endpoint.CLIENT_SECRET),
            oauth_scope=token_endpoint.AUDIENCE,
        )

    def way(self, name: str) -> Kafka:
        """Return the settings of a way in: `mtls`, `OAUTHBEARER`, or a mechanism of passwords."""
        return self.mtls() if name == "mtls" else self.oauth() if name == "OAUTHBEARER" else self.password(name)


def skip_without_secure_kafka() -> None:
    """Skip a test where Kafka's jars cannot run; in CI, where they should, fail it."""
    if missing := missing_tools():
        said = f"NO APACHE KAFKA WITH SECURED LISTENERS: missing {', '.join(missing)}"
        if os.environ.get("CI") == "true":
            pytest.fail(said)
        pytest.skip(said)


@contextlib.contextmanager
def running_secure_kafka(folder: Path) -> Iterator[SecureKafka]:
    """Run the broker, a token endpoint and its keys."""
    authority, other = Authority(folder, "authority"), Authority(folder, "other-authority")
    shown, expired = authority.sign("broker"), authority.sign("expired", expired=True)
    own = authority.sign("client", encrypted=True)
    tokens = token_endpoint.Tokens()
    ports = dict(zip(_LISTENERS, free_ports(len(_LISTENERS)), strict=True))
    with served(tokens.handler()) as keys, served(tokens.handler(), shown) as endpoint:
        broker = ApacheKafka(
            _properties(ports, authority.file, shown.keystore, expired.keystore, f"{keys}/keys"),
            [argument for size in ("256", "512") for argument in ("--add-scram", _scram(size))],
            [f"-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={keys}/keys"],
        )
        client = Kafka(
            security_protocol="SSL",
            ssl_cafile=authority.file,
            ssl_certfile=own.certificate,
            ssl_keyfile=own.key,
            ssl_password=SecretStr(KEY_PASSWORD),
        )
        ports["PLAINTEXT"] = int(broker.bootstrap.rpartition(":")[2])
        try:
            broker.start()
            yield SecureKafka(broker, ports, authority.file, other.file, client, f"{endpoint}/token", tokens)
        finally:
            broker.close()


def _scram(size: str) -> str:
    return f"SCRAM-SHA-{size}=[name={USER},password={PASSWORD}]"


def _properties(ports: dict[str, int], ca: Path, shown: Path, expired: Path, keys: str) -> str:
    at = {name: f"{name}://{{host}}:{port}" for name, port in ports.items()} | {
        "PLAINTEXT": "PLAINTEXT://{host}:{port}"
    }
    listeners = ",".join((*at.values(), "CONTROLLER://{host}:{controller_port}"))
    lines = {
        "listeners": listeners,
        "advertised.listeners": listeners,
        "listener.security.protocol.map": ",".join(f"{name}:{kind}" for name, kind in _LISTENERS.items())
        + ",CONTROLLER:PLAINTEXT",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(shown),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(ca),
        "listener.name.mtls.ssl.client.auth": "required",
        "listener.name.expired.ssl.keystore.type": "PEM",
        "listener.name.expired.ssl.keystore.location": str(expired),
        "listener.name.scram.sasl.enabled.mechanisms": _PASSWORDS,
        "listener.name.clear.sasl.enabled.mechanisms": "SCRAM-SHA-256",
        "listener.name.oauth.sasl.enabled.mechanisms": "OAUTHBEARER",
        "listener.name.scram.plain.sasl.jaas.config": (
            f'{_MODULES}.plain.PlainLoginModule required user_{USER}="{PASSWORD}";'
        ),
        "listener.name.oauth.oauthbearer.sasl.jaas.config": f"{_MODULES}.oauthbearer.OAuthBearerLoginModule required;",
        "listener.name.oauth.oauthbearer.sasl.server.callback.handler.class": (
            f"{_MODULES}.oauthbearer.OAuthBearerValidatorCallbackHandler"
        ),
        "sasl.oauthbearer.jwks.endpoint.url": keys,
        "sasl.oauthbearer.expected.audience": token_endpoint.AUDIENCE,
        "sasl.oauthbearer.expected.issuer": token_endpoint.ISSUER,
        "offsets.topic.num.partitions": "2",
    }
    scram = f"{_MODULES}.scram.ScramLoginModule required;"
    for listener in ("scram", "clear"):
        for size in ("256", "512"):
            lines[f"listener.name.{listener}.scram-sha-{size}.sasl.jaas.config"] = scram
    return "".join(f"{name}={value}\n" for name, value in lines.items())
