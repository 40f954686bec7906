"""Ports for processes that are about to start."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

from lucid.services.process.ports import HELD, free_ports


def test_no_port_is_given_twice() -> None:
    given = [port for _ in range(250) for port in free_ports(4)]
    assert len(set(given)) == 1_000, "those who got the first may not listen there yet"


def test_no_outgoing_connection_takes_the_port_of_a_process_that_starts_again() -> None:
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii").split()[0])
    assert first < 20_000 or all(port < first for port in free_ports(20))


def test_a_port_where_somebody_listens_is_not_given() -> None:
    [port] = free_ports(1)
    with socket.create_server(("127.0.0.1", port)):
        assert port not in {given for _ in range(100) for given in free_ports(4)}


def test_no_port_is_given_by_two_processes() -> None:
    """Tests run side by side, and those who got the ports may not listen there yet."""
    [port] = free_ports(1)
    program = (
        "import random, sys\n"
        "from lucid.services.process.ports import HELD, free_ports\n"
        "drawn = iter([int(sys.argv[1]), int(sys.argv[1]) - 1, int(sys.argv[1]) - 2])\n"
        "random.randint = lambda low, high: next(drawn)\n"
        "print(*free_ports(1))\n"
    )
    said = subprocess.run([sys.executable, "-c", program, str(port)], capture_output=True, text=True, check=True)
    assert int(said.stdout) in (port - 1, port - 2)


def test_ports_that_were_given_long_ago_cost_no_sockets() -> None:
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(2 * HELD // 4):
        free_ports(4)
    assert len(os.listdir("/proc/self/fd")) <= before + HELD
