"""What one service lets in at its port beside requests: connections that last, and what is counted of all."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import trio
from prometheus_client import CollectorRegistry, Counter, Gauge

from lucid.chain.printable import printable
from lucid.services.web.budget import Budget
from lucid.services.web.websocket import WebSocket

LOG_EVERY_S = 10.0
"""Failures of connections are logged this often at most, with how many there were: strangers can cause any number."""

_log = logging.getLogger("lucid.edge")


class LastingSocket(NamedTuple):
    """A path at which a connection may become a WebSocket: who may (by bearer token), and what serves it then."""

    admits: Callable[[str], bool]
    serve: Callable[[WebSocket], Awaitable[None]]


class Edge:
    """The way in of one service."""

    def __init__(self, service: str, registry: CollectorRegistry) -> None:
        self.service = service
        self.budget = Budget()
        self.lasting: dict[str, LastingSocket] = {}
        self.open = 0
        self.failed = 0
        self._refused = Counter(
            "lucid_connections_refused_total", "Connections that were cut or refused.", ["reason"], registry=registry
        )
        self._said_at = -LOG_EVERY_S
        self._unsaid = 0
        for name, what, value in (
            ("connections", "Connections that are open.", lambda: self.open),
            ("connections_failed", "Connections that an error ended since the start.", lambda: self.failed),
            ("budget_bytes", "Memory held for what comes in and goes out.", lambda: self.budget.held),
        ):
            Gauge(f"lucid_{name}", what, registry=registry).set_function(value)

    def refuse(self, reason: str) -> None:
        """Count a connection that was cut or refused; `reason` is one of few words."""
        self._refused.labels(reason).inc()

    def fail(self, client: str, error: BaseException) -> None:
        """Count a connection whose handling failed, and log it in one line, but not one for each of many."""
        self.failed += 1
        now = trio.current_time()
        if now < self._said_at + LOG_EVERY_S:
            self._unsaid += 1
            return
        more = f", and {self._unsaid} before it" if self._unsaid else ""
        self._said_at, self._unsaid = now, 0
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        said = printable(str(error))[:200]
        _log.error("a connection from %s failed%s: %s: %s", client, more, type(error).__name__, said)
