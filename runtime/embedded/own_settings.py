"""Owns the settings of the embedded stack's processes: its broker, storage and portal are its own, whatever the
environment or files say of others."""

from pathlib import Path

from runtime.settings import Auth, ClickHouse, Kafka, Portal, Settings, load

HOST = "127.0.0.1"
SESSION_TIMEOUT_S = 4.0
"""Of the groups: joining takes half of it on the embedded broker, and a killed member is missed for all of it."""


def own_settings(bootstrap: str, data: Path, port: int) -> Settings:
    """Return the settings for a stack on a data directory; what it does not own is the user's. Raises SettingsError."""
    return load(
        kafka=Kafka(bootstrap=bootstrap).model_dump(),
        clickhouse=ClickHouse(data=data / "clickhouse").model_dump(),
        portal=Portal(host=HOST, port=port).model_dump(),
        auth=Auth().model_dump(),
        url=f"http://{HOST}:{port}",
    )
