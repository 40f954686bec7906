"""Ports for processes that are about to start."""

from __future__ import annotations

from lucid.services.ports import free_ports


def test_no_port_is_given_twice() -> None:
    given = [port for _ in range(250) for port in free_ports(4)]
    assert len(set(given)) == 1_000, "those who got the first may not listen there yet"
