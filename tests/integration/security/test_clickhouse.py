"""ClickHouse by HTTPS: the client of the product, a real handshake, and the engine of the run behind it."""

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from runtime.clickhouse.errors import StorageRefusedError, StorageUntrustedError
from runtime.clickhouse.pool import open_pool
from runtime.settings import ClickHouse, SettingsError
from tests.support.certificates import Authority, Certificate
from tests.support.clickhouse_https import PASSWORD, USER, secured_clickhouse
from tests.support.engine import ClickHouse as Engine
from tests.support.ports import HOST


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture(scope="module")
def authority(folder: Path) -> Authority:
    return Authority(folder, "authority")


@pytest.fixture(scope="module")
def shown(authority: Authority) -> Certificate:
    return authority.sign("server")


@pytest.fixture(scope="module")
def own(authority: Authority) -> Certificate:
    return authority.sign("client")


@pytest.fixture(scope="module")
def by_password(clickhouse: Engine, shown: Certificate) -> Iterator[str]:
    with secured_clickhouse(clickhouse, shown) as address:
        yield address


@pytest.fixture
def by_certificate(clickhouse: Engine, shown: Certificate, authority: Authority) -> Iterator[str]:
    with secured_clickhouse(clickhouse, shown, authority.file) as address:
        yield address


@pytest.fixture
def password_file(tmp_path: Path) -> Path:
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\n")
    return file


def settings(address: str, authority: Authority, **more: Any) -> ClickHouse:
    url = address.replace("https://", f"https://{USER}@")
    given = {"url": url, "ca_file": authority.file, "database": f"test_{uuid.uuid4().hex[:12]}"}
    return ClickHouse.model_validate(given | more)


def works(of: ClickHouse) -> bool:
    """Open, make the database, write and read."""
    with open_pool(of) as pool, pool.lease() as client:
        client.command("CREATE TABLE kept (name String) ENGINE = MergeTree ORDER BY name")
        client.raw_insert("kept", insert_block=b'{"name":"ana"}\n', fmt="JSONEachRow")
        rows = client.query("SELECT name FROM kept").result_rows
        client.command(f"DROP DATABASE {of.database}")
    return [("ana",)] == list(rows)


def test_a_password_file_opens_a_server_at_its_port(
    by_password: str, authority: Authority, password_file: Path
) -> None:
    assert works(settings(by_password, authority, password_file=password_file))


def test_a_certificate_signs_in_without_a_password_and_beside_one(
    by_certificate: str, authority: Authority, own: Certificate, password_file: Path
) -> None:
    shows = {"cert_file": own.certificate, "key_file": own.key}
    assert works(settings(by_certificate, authority, **shows))
    assert works(settings(by_certificate, authority, **shows, password_file=password_file))


def test_what_is_wrong_is_told_and_no_secret_with_it(
    by_password: str, authority: Authority, folder: Path, password_file: Path
) -> None:
    password_file.write_text("wrong-horse")
    with pytest.raises(StorageRefusedError, match="refuses user or password: correct them in POOLW") as caught:
        open_pool(settings(by_password, authority, password_file=password_file))
    assert "wrong-horse" not in str(caught.value)

    unknown = Authority(folder, "other")
    for ca in (unknown.file, None):
        with pytest.raises(StorageUntrustedError, match="not trusted here: set POOLWATCH_CLICKHOUSE_CA_FILE"):
            open_pool(settings(by_password, authority, ca_file=ca, password_file=password_file))
    with pytest.raises(StorageUntrustedError, match="certificate is not for localhost"):
        open_pool(settings(by_password.replace(HOST, "localhost"), authority, password_file=password_file))


def test_an_expired_certificate_is_told(clickhouse: Engine, authority: Authority) -> None:
    expired = authority.sign("expired", expired=True)
    with (
        secured_clickhouse(clickhouse, expired) as address,
        pytest.raises(StorageUntrustedError, match="certificate has expired"),
    ):
        open_pool(settings(address, authority))


def test_a_client_certificate_that_is_asked_for_is_told(by_certificate: str, authority: Authority) -> None:
    with pytest.raises(
        StorageRefusedError, match=r"asks clients for a certificate[:,] set POOLWATCH_CLICKHOUSE_CERT_FILE"
    ):
        open_pool(settings(by_certificate, authority))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"url": "https://ana@host/?verify=false"}, "always checked"),
        ({"url": "clickhouse.example:8443"}, "is no address of a server"),
        ({"url": "http://ana@host/", "ca_file": "/ca.pem"}, "let it begin with https://"),
        ({"url": "https://ana:hunter2@host/", "password_file": __file__}, "has a password"),
        ({"url": "https://ana@host/", "ca_file": "/missing"}, "POOLWATCH_CLICKHOUSE_CA_FILE takes a PEM file"),
    ],
)
def test_settings_that_do_not_fit_are_told(given: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        open_pool(ClickHouse.model_validate(given))
    assert said in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_the_url_is_a_secret() -> None:
    assert "hunter2" not in repr(ClickHouse(url=SecretStr("https://ana:hunter2@host/")))
