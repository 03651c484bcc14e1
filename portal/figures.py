"""Owns what stands at `/metrics` besides the portal's own figures: a port, for the portal knows no other process."""

from typing import Protocol

from prometheus_client import REGISTRY, CollectorRegistry, generate_latest


class Figures(Protocol):
    """The figures of everything that is to be seen at the portal."""

    async def text(self, own: CollectorRegistry) -> bytes:
        """Return the portal's own figures and all others in Prometheus' text format."""


class OwnFigures:
    """The portal's own, and those of its process: memory, processor time."""

    async def text(self, own: CollectorRegistry) -> bytes:
        return generate_latest(own) + generate_latest(REGISTRY)
