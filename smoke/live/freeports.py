"""Ports of this machine for programs that are about to start."""

from __future__ import annotations

import socket
from contextlib import ExitStack

_given: set[int] = set()


def free_ports(count: int, address: str = "127.0.0.1") -> list[int]:
    """Ports that nobody listens at and that were not given out before: who got those may not have started yet."""
    found: list[int] = []
    with ExitStack() as held:
        while len(found) < count:
            probe = held.enter_context(socket.socket())
            probe.bind((address, 0))
            port: int = probe.getsockname()[1]
            if port not in _given:
                _given.add(port)
                found.append(port)
    return found
