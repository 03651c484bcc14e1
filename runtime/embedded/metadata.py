"""A Kafka metadata request by hand: tells whether a broker serves, without a client library or an event loop."""

import socket
import struct

_METADATA, _VERSION, _CORRELATION = 3, 1, 7
_CLIENT = b"poolwatch-probe"


def broker_count(host: str, port: int, timeout_s: float = 2.0) -> int:
    """Return how many brokers the one at `host:port` knows of; 0 while it has not joined its own cluster yet.

    Raises OSError when nobody listens, the answer does not come in time, or what answers does not speak Kafka.
    """
    request = struct.pack(">hhih", _METADATA, _VERSION, _CORRELATION, len(_CLIENT)) + _CLIENT + struct.pack(">i", 0)
    with socket.create_connection((host, port), timeout=timeout_s) as connection:
        connection.sendall(struct.pack(">i", len(request)) + request)
        size = struct.unpack(">i", _read(connection, 4))[0]
        if not 8 <= size <= 1 << 20:
            raise ConnectionError(f"what listens on {host}:{port} does not speak Kafka")
        correlation, brokers = struct.unpack(">ii", _read(connection, size)[:8])
    if correlation != _CORRELATION:
        raise ConnectionError(f"what listens on {host}:{port} does not speak Kafka")
    return int(brokers)


def _read(connection: socket.socket, size: int) -> bytes:
    received = b""
    while len(received) < size:
        if not (chunk := connection.recv(size - len(received))):
            raise ConnectionError("the connection was closed before the answer was complete")
        received += chunk
    return received
