"""The sessions that this node took: each is handed over with its chunks, and again while that comes to nothing."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import msgspec
import pytest
import trio

from lucid.chain.errors import Code
from lucid.ledger.memory import MemoryStore
from lucid.services.chunks import ownsessions as module
from lucid.services.chunks.ownsessions import FOLLOWED_KEY, FOLLOWED_TABLE, OwnSessions
from lucid.services.web.problems import Problem
from tests.waiting import until

OWNER = b"o" * 32
MINE, OTHERS = (bytes([number]) * 16 + OWNER for number in (1, 2))
IDS = [bytes([number]) * 32 for number in range(3)]


class Around:
    """A store, a chain with a session in block 1 and 2 each, and a node that took the first of them."""

    def __init__(self) -> None:
        self.rules = 3
        self.memory = MemoryStore()
        self.blocks = [[MINE], [OTHERS]]
        self.manifest_status = 200
        self.troubles = 0
        self.taken: list[tuple[bytes, list[bytes]]] = []
        self.asked: list[int] = []

    # What `DurableStore` does.

    async def read_when_there(self, read: Any, *given: Any) -> Any:
        """At once."""
        return read(*given)

    def get(self, table: str, key: bytes) -> bytes | None:
        """See `Reader`."""
        return self.memory.get(table, key)

    async def write(self, writes: Any) -> None:
        """At once."""
        self.memory.write(writes)

    # What `Sibling` does.

    async def get_blocks(self, path: str, wait_s: float) -> Any:
        """The sessions of the next block, or none for long."""
        after = int(path.split("after=")[1].split("&", maxsplit=1)[0])
        self.asked.append(after)
        if after >= len(self.blocks):
            await trio.sleep_forever()
        return {"sessions": [each.hex() for each in self.blocks[after]], "height": after + 1}

    async def fetch(self, path: str, wait_s: float = 0.0) -> tuple[int, bytes]:
        """A manifest, of what was taken here."""
        if path != f"/sessions/{uuid.UUID(bytes=MINE[:16])}/manifest?owner={OWNER.hex()}":
            return 404, b""
        return self.manifest_status, msgspec.json.encode({"chunks": [{"id": each.hex()} for each in IDS]})

    def understood(self) -> Any:
        """Everything is."""
        return nullcontext()

    async def take(self, session: bytes, ids: Sequence[bytes]) -> bool:
        """Take it, once there is no trouble."""
        if self.troubles:
            self.troubles -= 1
            raise Problem(Code.UNAVAILABLE, "later")
        self.taken.append((session, list(ids)))
        return True

    @property
    def height(self) -> int:
        """Up to which block it has looked, by its store."""
        return int.from_bytes(self.memory.get(FOLLOWED_TABLE, FOLLOWED_KEY) or b"", "big")


class Manager:
    """The chain's side, whose `get` is not the store's."""

    def __init__(self, around: Around) -> None:
        self.get = around.get_blocks
        self.understood = around.understood


async def follow(around: Around, height: int) -> None:
    """Run until it has looked so far."""
    parts: Any = {"rules": around, "store": around, "manager": Manager(around), "anchoring": around}
    async with trio.open_nursery() as nursery:
        nursery.start_soon(OwnSessions(**parts, take=around.take).run)
        await until(lambda: around.height == height)
        nursery.cancel_scope.cancel()


@pytest.fixture
def around(monkeypatch: pytest.MonkeyPatch) -> Around:
    """No long waits."""
    monkeypatch.setattr(module, "RETRY_S", 0.001)
    return Around()


async def test_what_this_node_took_is_handed_over_once(around: Around) -> None:
    await follow(around, 2)
    assert around.taken == [(MINE, IDS)]
    around.blocks.append([OTHERS])
    await follow(around, 3)
    assert around.taken == [(MINE, IDS)] and around.asked.count(0) == 1, "it goes on where it was"


async def test_what_comes_to_nothing_is_tried_again(around: Around) -> None:
    around.troubles = 2
    await follow(around, 2)
    assert around.taken == [(MINE, IDS)] and around.asked.count(0) == 3


async def test_nothing_is_passed_over_while_the_manifest_cannot_be_had(around: Around) -> None:
    around.manifest_status = 503
    async with trio.open_nursery() as nursery:
        nursery.start_soon(follow, around, 2)
        await until(lambda: len(around.asked) > 2)
        assert around.height == 0 and not around.taken
        around.manifest_status = 200
    assert around.taken == [(MINE, IDS)]


async def test_before_rules_3_nothing_is_looked_for(around: Around) -> None:
    around.rules = 2
    async with trio.open_nursery() as nursery:
        nursery.start_soon(follow, around, 2)
        await trio.sleep(0.02)
        assert not around.asked
        around.rules = 3
    assert around.taken == [(MINE, IDS)]
