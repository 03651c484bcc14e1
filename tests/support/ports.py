"""Free loopback ports for what tests start."""

import socket

HOST = "127.0.0.1"


def free_ports(count: int) -> list[int]:
    """Return different ports that were free a moment ago. Nobody holds them: start what needs them at once."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for held in sockets:
            held.bind((HOST, 0))
        return [int(held.getsockname()[1]) for held in sockets]
    finally:
        for held in sockets:
            held.close()


def free_port() -> int:
    """Return one port that was free a moment ago."""
    return free_ports(1)[0]
