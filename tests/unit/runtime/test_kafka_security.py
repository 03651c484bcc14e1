"""What the settings make of the security of Kafka: arguments of clients, mistakes in words, tokens renewed in time."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from runtime.broker_errors import TokenError
from runtime.effective import effective
from runtime.kafka_security import security
from runtime.kafka_tokens import FetchedTokens
from runtime.settings import Kafka, Settings, SettingsError
from tests.support.certificates import KEY_PASSWORD, Authority

SASL: dict[str, Any] = {"security_protocol": "SASL_PLAINTEXT", "sasl_username": "ana"}
OAUTH: dict[str, Any] = {"security_protocol": "SASL_PLAINTEXT", "sasl_mechanism": "OAUTHBEARER"}
ENDPOINT = {"oauth_token_url": "https://issuer.example/token", "oauth_client_id": "meter"}


def test_a_password_may_stand_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("correct-horse\n")
    assert "correct-horse" == security(Kafka(**SASL, sasl_password_file=file))["sasl_plain_password"]


def test_names_are_always_checked() -> None:
    context = security(Kafka(security_protocol="SSL"))["ssl_context"]
    assert context.check_hostname
    assert context.verify_mode.name == "CERT_REQUIRED"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (SASL, "POOLWATCH_KAFKA_SASL_PASSWORD is not set, and POOLWATCH_KAFKA_SECURITY_PROTOCOL=SASL_PLAINTEXT"),
        ({"security_protocol": "SASL_PLAINTEXT"}, "POOLWATCH_KAFKA_SASL_USERNAME is not set"),
        (SASL | {"sasl_password": "a", "sasl_password_file": "b"}, "SASL_PASSWORD_FILE are both set"),
        (
            SASL | {"sasl_password_file": "/missing"},
            "/missing cannot be read: No such file or directory. Correct",
        ),
        ({"security_protocol": "SSL", "ssl_cafile": "/missing"}, "POOLWATCH_KAFKA_SSL_CAFILE takes a PEM file"),
        ({"security_protocol": "SSL", "ssl_certfile": "/missing"}, "POOLWATCH_KAFKA_SSL_CERTFILE names /missing"),
        ({"security_protocol": "SSL", "ssl_keyfile": "/missing"}, "POOLWATCH_KAFKA_SSL_CERTFILE is not: a client"),
        (OAUTH, "POOLWATCH_KAFKA_OAUTH_TOKEN_URL is not set"),
        (OAUTH | ENDPOINT, "POOLWATCH_KAFKA_OAUTH_CLIENT_SECRET is not set"),
        (OAUTH | ENDPOINT | {"oauth_token_file": "/x"}, "POOLWATCH_KAFKA_OAUTH_TOKEN_FILE are both set"),
        (OAUTH | {"oauth_token_file": "/missing"}, "Correct POOLWATCH_KAFKA_OAUTH_TOKEN_FILE"),
        (OAUTH | ENDPOINT | {"oauth_token_url": "http://issuer.example"}, "where others can listen"),
    ],
)
def test_what_does_not_fit_is_a_sentence_with_the_variable(given: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        security(Kafka.model_validate(given))
    assert said in str(caught.value)


def test_an_encrypted_key_takes_its_password(tmp_path: Path) -> None:
    shown = Authority(tmp_path, "authority").sign("client", encrypted=True)
    given: dict[str, Any] = {
        "security_protocol": "SSL", "ssl_certfile": shown.certificate, "ssl_keyfile": shown.key,
    }  # fmt: skip
    assert security(Kafka(**given, ssl_password=SecretStr(KEY_PASSWORD)))["ssl_context"]
    for wrong in ({}, {"ssl_password": SecretStr("wrong-horse")}):
        with pytest.raises(SettingsError, match="an encrypted key its password") as caught:
            security(Kafka(**given, **wrong))
        assert "wrong-horse" not in str(caught.value)


def test_no_secret_of_kafka_and_clickhouse_is_shown() -> None:
    secrets = ("sasl_password", "ssl_password", "oauth_client_secret")
    settings = Settings(kafka=Kafka.model_validate(dict.fromkeys(secrets, "hunter2")))
    shown = {row.name: row.value for row in effective(settings)}
    assert ["(hidden)"] * 3 == [shown[f"POOLWATCH_KAFKA_{name.upper()}"] for name in secrets]
    assert "hunter2" not in str(shown) + repr(settings)


class FakeEndpoint(FetchedTokens):
    """Tokens that live for 100 s on a clock of the test; `away`: none is given."""

    def __init__(self) -> None:
        self.now_s, self.asked, self.away = 0.0, 0, False
        super().__init__("", "", lambda: "", None, None, lambda: self.now_s)  # type: ignore[arg-type]

    def _fetch(self) -> dict[str, Any]:
        self.asked += 1
        if self.away:
            raise TokenError("away")
        return {"access_token": f"token-{self.asked}", "expires_in": 100}


async def test_a_token_is_kept_and_renewed_before_it_ends() -> None:
    tokens = FakeEndpoint()
    assert "token-1" == await tokens.token()
    tokens.now_s = 79
    assert ("token-1", 1) == (await tokens.token(), tokens.asked)
    tokens.now_s = 81
    assert "token-2" == await tokens.token()


async def test_an_endpoint_that_is_away_does_no_harm_while_the_token_is_good() -> None:
    tokens = FakeEndpoint()
    await tokens.token()
    tokens.away, tokens.now_s = True, 95
    assert "token-1" == await tokens.token()
    tokens.now_s = 101
    with pytest.raises(TokenError):
        await tokens.token()
