"""Owns the newest state of every part of every source (topic `sources`), as the portal shows it; reading the topic is
the live view's."""

from collections.abc import Sequence

from schemas.sources import SourceState


class SourceBook:
    """States of sources by tenant."""

    def __init__(self) -> None:
        self._states: dict[str, dict[str, SourceState]] = {}

    def take(self, key: str, value: bytes | None) -> None:
        """Take a record of the topic, later ones in place of earlier ones; no value = forgotten. Raises
        ValidationError."""
        tenant = key.partition("/")[0]
        if value is not None:
            # Where the next reading begins is the collector's alone, and longer than all the rest.
            state = SourceState.model_validate_json(value).model_copy(update={"cursor": None})
            self._states.setdefault(tenant, {})[key] = state
        elif tenant in self._states:
            self._states[tenant].pop(key, None)
            if not self._states[tenant]:
                del self._states[tenant]

    def of(self, tenant: str) -> Sequence[SourceState]:
        """Return the states of a tenant's sources, by source and part."""
        states = self._states.get(tenant, {})
        return [states[key] for key in sorted(states)]
