"""Owns API tokens in ClickHouse, behind the port `portal.ports.Tokens`: the only rows that a portal writes."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import msgspec

from portal.ports import Token
from portal.store.clients import Clients, ask, ms
from schemas.times import format_time, from_ms

_KNOWN = f"""SELECT id, digest, name, role, tenants, {ms("created_at")}, created_by, {ms("expires_at")}, used
FROM api_tokens FINAL
LEFT JOIN (SELECT id, toString(max(day)) AS used FROM api_token_uses GROUP BY id) AS uses USING (id)
WHERE revoked = 0 ORDER BY created_at, id"""


class ClickHouseTokens:
    """API tokens in the tables `api_tokens` and `api_token_uses`. Synchronous, from any number of threads."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def known(self) -> list[Token]:
        return [
            Token(
                id=token, digest=digest, name=name, role=role, tenants=frozenset(tenants),
                created_at=from_ms(created_at), created_by=created_by, expires_at=from_ms(expires_at),
                last_used_on=date.fromisoformat(used) if used else None,
            )
            for token, digest, name, role, tenants, created_at, created_by, expires_at, used
            in ask(self._clients, _KNOWN, {})
        ]  # fmt: skip

    def add(self, token: Token) -> None:
        self._insert("api_tokens", _row(token))

    def revoke(self, token: Token, at: datetime, by: str) -> None:
        self._insert("api_tokens", _row(token) | {"revoked": 1, "revoked_at": format_time(at), "revoked_by": by})

    def used(self, token: Token, on: date) -> None:
        self._insert("api_token_uses", {"id": token.id, "day": on.isoformat()})

    def _insert(self, table: str, row: Mapping[str, Any]) -> None:
        with self._clients.lease() as client:
            client.raw_insert(
                table, insert_block=msgspec.json.encode(row), fmt="JSONEachRow",
                settings={"date_time_input_format": "best_effort"},
            )  # fmt: skip


def _row(token: Token) -> dict[str, Any]:
    return {
        "id": token.id, "digest": token.digest, "name": token.name, "role": token.role,
        "tenants": sorted(token.tenants), "created_at": format_time(token.created_at),
        "created_by": token.created_by, "expires_at": format_time(token.expires_at), "revoked": 0,
    }  # fmt: skip
