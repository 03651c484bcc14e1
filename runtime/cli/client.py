"""Owns the command line's way to the REST API: one thin client, its errors in words."""

import getpass
from collections.abc import Iterator
from typing import Any, Self

import httpx
from pydantic import SecretStr

from runtime.cli.failure import Failure
from runtime.portal_token import bearer
from runtime.settings import SettingsError, load
from schemas.identifiers import is_tenant

_TIMEOUT_S = 60.0


class NotThere(Failure):
    """No portal answers at the address."""


class Refused(Failure):
    """The API answered with a problem; `status` is its HTTP status."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


class Api:
    """The REST API of a running portal. Use as `with`."""

    def __init__(self, url: str, token: SecretStr | None = None, timeout_s: float = _TIMEOUT_S) -> None:
        self.url = url
        self._timeout_s = timeout_s
        self._has_token = token is not None
        headers = {"From": user()} | bearer(token)
        self._http = httpx.Client(base_url=url, timeout=timeout_s, headers=headers)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def get(self, path: str, **params: Any) -> Any:
        """GET a JSON answer; parameters that are None are left out. Raises NotThere and Refused."""
        return self.request("GET", path, params=params).json()

    def text(self, path: str, accept: str, **params: Any) -> str:
        """GET an answer of another media type."""
        return self.request("GET", path, params=params, headers={"Accept": accept}).text

    def items(self, path: str, **params: Any) -> Iterator[dict[str, Any]]:
        """GET all items of a list, page by page."""
        cursor: str | None = None
        while True:
            page = self.get(path, **params, limit=1_000, cursor=cursor)
            yield from page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def request(
        self,
        method: str,
        path: str,
        *,
        params: dict[str, Any] | None = None,
        body: Any = None,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        """Send a request and return the answer. Raises NotThere and Refused."""
        known = {name: value for name, value in (params or {}).items() if value is not None}
        try:
            response = self._http.request(method, path, params=known, json=body, headers=headers)
        except httpx.TimeoutException as error:
            raise NotThere(
                f"Poolwatch at {self.url} did not answer within {self._timeout_s:.0f} s: try again"
            ) from error
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise self.not_there() from error
        if response.is_error:
            raise self._refused(response)
        return response

    def stream(self, path: str, headers: dict[str, str], **params: Any) -> Iterator[str]:
        """Yield the lines of a stream until it ends. Raises NotThere and Refused; httpx.TransportError if it breaks."""
        known = {name: value for name, value in params.items() if value is not None}
        timeout = httpx.Timeout(_TIMEOUT_S, read=_TIMEOUT_S)
        with self._http.stream("GET", path, params=known, headers=headers, timeout=timeout) as response:
            if response.is_error:
                response.read()
                raise self._refused(response)
            yield from response.iter_lines()

    def _refused(self, response: httpx.Response) -> Refused:
        if response.status_code != 401:
            return Refused(response.status_code, _detail(response))
        if self._has_token:
            return Refused(
                401,
                f"Poolwatch at {self.url} does not take the API token in POOLWATCH_TOKEN: it was revoked, has expired,"
                " or is another installation's; ask an administrator for a new one (`poolwatch token create`)",
            )
        return Refused(
            401,
            f"Poolwatch at {self.url} asks who you are: set POOLWATCH_TOKEN to an API token; an administrator makes one"
            " with `poolwatch token create`, the first one where POOLWATCH_CLICKHOUSE_URL is set",
        )

    def not_there(self) -> NotThere:
        """Return the error of an address where nobody answers."""
        return NotThere(f"No Poolwatch answers at {self.url}: start it with `poolwatch up`, or set POOLWATCH_URL")


def connect() -> Api:
    """Return the client of the portal that the settings name. Raises Failure for settings that cannot be used."""
    try:
        settings = load()
        return Api(settings.url, settings.token)
    except SettingsError as error:
        raise Failure(str(error)) from error


def tenant_path(tenant: str, rest: str = "") -> str:
    """Return the API's path of a tenant. Raises Failure for what is no tenant id, before anything is asked."""
    if not is_tenant(tenant):
        raise Failure(
            f"{tenant[:80]!r} is not a tenant id: it is 1 to 64 of a-z 0-9 . _ - and begins with a letter or digit"
            " (no capitals, no slash); `poolwatch tenant list` shows those there are"
        )
    return f"/api/v1/tenants/{tenant}{rest}"


def _detail(response: httpx.Response) -> str:
    try:
        body = response.json()
        return str(body["detail"])
    except (ValueError, KeyError, TypeError):
        return (
            f"{response.request.url} answered {response.status_code} {response.reason_phrase}, and not as Poolwatch"
            " does: is POOLWATCH_URL right?"
        )


def user() -> str:
    """Return the name of the user of this shell."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "command line"
