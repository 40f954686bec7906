"""Fleets of data chains in one process, for tests: how one is run, waited for and given chunks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Protocol, TypeVar

import trio

from lucid.machines.replication.pacing import Pacing
from lucid.storage.durable import DurableStore

HURRIED = Pacing(gather_ms=20, soon_ms=300, repair_ms=200, answer_ms=4_000, again_ms=10)
"""How replication waits where tests do."""


class StoredNode(Protocol):
    """A node of a fleet."""

    store: DurableStore


class AnyFleet(Protocol):
    """Nodes by their keys."""

    @property
    def nodes(self) -> Mapping[bytes, StoredNode]:
        """Those that are there now."""
        ...


F = TypeVar("F", bound=AnyFleet)


async def body(data: bytes) -> AsyncIterator[bytes]:
    """An upload."""
    yield data


async def run(folder: Path, make: Callable[[Path, trio.Nursery, AsyncExitStack], F], test: Callable[[F], Any]) -> None:
    """A test with a fleet, which ends with it."""
    async with AsyncExitStack() as stack, trio.open_nursery() as nursery:
        fleet = make(folder, nursery, stack)
        try:
            await test(fleet)
        finally:
            for node in fleet.nodes.values():
                node.store.end()
            nursery.cancel_scope.cancel()
