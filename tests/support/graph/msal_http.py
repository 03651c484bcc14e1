"""Owns the way of an unchanged msal to the fake: it demands https and a login host, the fake is http on loopback."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx


class MsalHttp:
    """What msal takes as `http_client`: every host is the fake. msal does not close it: whoever made it does."""

    def __init__(self, origin: str) -> None:
        self._http = httpx.Client(base_url=origin, trust_env=False, timeout=10.0)

    def get(
        self, url: str, params: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None, **_: Any
    ) -> httpx.Response:
        """Ask the fake instead of the host of the address."""
        return self._http.get(urlsplit(url).path, params=params, headers=headers)

    def post(
        self,
        url: str,
        params: Mapping[str, str] | None = None,
        data: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        **_: Any,
    ) -> httpx.Response:
        """Post a form to the fake instead of the host of the address."""
        return self._http.post(urlsplit(url).path, params=params, data=data, headers=headers)

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def __enter__(self) -> "MsalHttp":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
