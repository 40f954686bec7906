"""Ports of this machine for processes that are about to start."""

from __future__ import annotations

import atexit
import contextlib
import random
import socket
from collections import deque
from pathlib import Path

LOWEST = 16_384
_OUTGOING = Path("/proc/sys/net/ipv4/ip_local_port_range")
HELD = 128
"""Ports, the newest ones, that are kept from other processes too: each takes a socket."""
_given: set[int] = set()
_held: deque[socket.socket] = deque()


@atexit.register
def _let_go() -> None:
    while _held:
        _held.pop().close()


def free_ports(count: int, address: str = "127.0.0.1") -> list[int]:
    """Ports that nobody listens at and that were not given out before, by other processes of this kind either: who got
    those may not have started yet.

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
                _claim(address, port)
                found.append(port)
    return found


def _claim(address: str, port: int) -> None:
    """Keep a port from whoever asks next, here or in another process. Raises OSError if another one has it.

    The sign is the UDP port of the same number: it is in nobody's way, and the system takes it back with the process.
    """
    sign = socket.socket(type=socket.SOCK_DGRAM)
    try:
        sign.bind((address, port))
    except OSError:
        sign.close()
        raise
    _held.append(sign)
    if len(_held) > HELD:
        _held.popleft().close()
    _given.add(port)


def _first_outgoing() -> int:
    try:
        first = int(_OUTGOING.read_text(encoding="ascii").split()[0])
    except (OSError, ValueError, IndexError):
        first = 32_768
    return first if first >= 2 * LOWEST else 65_536
