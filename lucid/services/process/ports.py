"""Ports of this machine for processes that are about to start."""

from __future__ import annotations

import contextlib
import random
import socket
from pathlib import Path

LOWEST = 16_384
_OUTGOING = Path("/proc/sys/net/ipv4/ip_local_port_range")
_given: set[int] = set()


def free_ports(count: int, address: str = "127.0.0.1") -> list[int]:
    """Ports that nobody listens at and that were not given out before: who got those may not have started yet.

    They are below those that the system gives to outgoing connections, one of which could have the port of a process
    that is just started again.
    """
    highest = _first_outgoing() - 1
    found: list[int] = []
    with contextlib.ExitStack() as held:
        while len(found) < count:
            port = random.randint(LOWEST, highest)
            if port in _given:
                continue
            probe = held.enter_context(socket.socket())
            with contextlib.suppress(OSError):
                probe.bind((address, port))
                _given.add(port)
                found.append(port)
    return found


def _first_outgoing() -> int:
    try:
        first = int(_OUTGOING.read_text(encoding="ascii").split()[0])
    except (OSError, ValueError, IndexError):
        first = 32_768
    return first if first >= 2 * LOWEST else 65_536
