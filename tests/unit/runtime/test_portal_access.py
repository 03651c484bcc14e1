"""How the portal may be entered: what mode oidc needs, and who may not be reached without it."""

import os
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import HTTPConnection

from portal.access.principals import LOCAL as ANYBODY
from runtime.portal_access import AccessError, access_of
from runtime.settings import Auth, SettingsError, load

GIVEN: dict[str, Any] = {
    "mode": "oidc", "issuer": "https://login.example/directory/", "client_id": "poolwatch", "client_secret": "hunter2",
    "public_url": "https://portal.example", "session_key": "k" * 32,
}  # fmt: skip


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for name in [name for name in os.environ if name.startswith("POOLWATCH_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


async def test_without_settings_everybody_here_is_let_in_by_names_of_this_machine_alone() -> None:
    access = access_of(Auth())
    assert ANYBODY == await access.recognise(HTTPConnection({"type": "http", "headers": []}))
    assert frozenset({"localhost", "127.0.0.1", "[::1]"}) == access.entrance.hosts
    assert access.entrance.sign_in is None


def test_mode_oidc_knows_its_origin_and_gives_cookies_to_https_alone() -> None:
    entrance = access_of(Auth.model_validate(GIVEN)).entrance
    assert ("https://portal.example", "__Host-poolwatch-session") == (entrance.origin, entrance.session_cookie)
    trying_out = access_of(Auth.model_validate(GIVEN | {"public_url": "http://localhost:8080"})).entrance
    assert "poolwatch-session" == trying_out.session_cookie


@pytest.mark.parametrize("name", ["issuer", "client_id", "client_secret", "public_url", "session_key"])
def test_what_is_missing_is_told_by_its_variable(name: str) -> None:
    with pytest.raises(AccessError, match=f"POOLWATCH_AUTH_{name.upper()}"):
        access_of(Auth.model_validate({key: value for key, value in GIVEN.items() if key != name}))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"issuer": "http://login.example"}, "POOLWATCH_AUTH_ISSUER .* where others can listen"),
        ({"public_url": "http://portal.example"}, "POOLWATCH_AUTH_PUBLIC_URL .* where others can listen"),
        ({"public_url": "https://msp.example/portal"}, "leave the path out"),
        ({"client_secret": None, "client_secret_file": Path("nowhere")}, "nowhere cannot be read: No such file"),
    ],
)
def test_what_is_not_safe_or_not_there_is_refused(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(AccessError, match=said) as caught:
        access_of(Auth.model_validate(GIVEN | changed))
    assert "hunter2" not in str(caught.value)


def test_the_secret_may_be_in_a_file(clean: Path) -> None:
    (clean / "secret").write_text("hunter2\n")
    given = GIVEN | {"client_secret": None, "client_secret_file": clean / "secret"}
    assert access_of(Auth.model_validate(given)).entrance.sign_in is not None


def test_lists_come_from_variables_with_commas_and_from_the_file_as_lists(
    clean: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (clean / "poolwatch.toml").write_text(
        '[auth]\nroles_claims = ["roles", "groups"]\n[auth.role_map]\n"0c5a" = "tenant_admin:contoso"\n'
    )
    monkeypatch.setenv("POOLWATCH_AUTH_PROVIDER_ADMINS", "ana@msp.example, 00u-subject")
    auth = load().auth
    assert (("roles", "groups"), ("ana@msp.example", "00u-subject")) == (auth.roles_claims, auth.provider_admins)
    assert {"0c5a": "tenant_admin:contoso"} == auth.role_map


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("SESSION_KEY", "hunter2", "at least 32 items"),
        ("ROLE_MAP", '{"0c5a": "owner"}', "a role is one of provider_admin"),
        ("SCOPES", "profile", "the scopes hold openid"),
        ("MODE", "open", "'local' or 'oidc'"),
    ],
)
def test_a_mistake_is_told_and_no_secret(monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str) -> None:
    monkeypatch.setenv(f"POOLWATCH_AUTH_{name}", value)
    with pytest.raises(SettingsError, match=said) as caught:
        load()
    assert f"POOLWATCH_AUTH_{name}" in str(caught.value)
    assert "hunter2" not in str(caught.value)
