"""Ports for processes that are about to start."""

from __future__ import annotations

import socket
from pathlib import Path

from lucid.services.process.ports import free_ports


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
