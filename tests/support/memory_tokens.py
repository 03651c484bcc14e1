"""API tokens in memory, and ones that cannot be read: the port `portal.ports.Tokens` without ClickHouse."""

from dataclasses import dataclass, field, replace
from datetime import date, datetime

from portal.ports import Token


@dataclass
class MemoryTokens:
    """Keeps tokens as long as it lives; counts how often it was read."""

    kept: dict[str, Token] = field(default_factory=dict)
    revoked: set[str] = field(default_factory=set)
    reads: int = 0

    def known(self) -> list[Token]:
        self.reads += 1
        known = [token for token in self.kept.values() if token.id not in self.revoked]
        return sorted(known, key=lambda token: (token.created_at, token.id))

    def add(self, token: Token) -> None:
        self.kept[token.id] = token

    def revoke(self, token: Token, at: datetime, by: str) -> None:
        self.revoked.add(token.id)

    def used(self, token: Token, on: date) -> None:
        last = max(on, self.kept[token.id].last_used_on or on)
        self.kept[token.id] = replace(self.kept[token.id], last_used_on=last)


@dataclass
class FailingTokens(MemoryTokens):
    """Fails while it is `away`."""

    away: bool = True

    def known(self) -> list[Token]:
        found = super().known()
        self._fail()
        return found

    def used(self, token: Token, on: date) -> None:
        self._fail()
        super().used(token, on)

    def _fail(self) -> None:
        if self.away:
            raise OSError("ClickHouse is away")
