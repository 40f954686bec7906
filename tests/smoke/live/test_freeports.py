"""Ports that are given are free, and given once."""

from __future__ import annotations

import socket

import pytest

from smoke.live import freeports
from smoke.live.freeports import free_ports


def test_ports_that_are_given_are_free_and_given_once() -> None:
    first, second = free_ports(20), free_ports(20)
    assert len({*first, *second}) == 40
    for port in first:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
    assert free_ports(0) == []


def test_a_port_that_was_given_is_not_given_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who got it may not have started yet, so that the system takes it for a free one: here every other one is so."""
    given = {port for port in range(1 << 16) if port // 2 % 2}
    monkeypatch.setattr(freeports, "_given", {*given})
    assert not given & {*free_ports(20)}
