"""A data chain's storage proofs: it shows what is drawn, once an epoch, and hands nothing in that does not hold."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
import trio

from lucid.chain.chunks import chunk_id, session_root
from lucid.chain.codec import decode
from lucid.chain.transactions import Answers
from lucid.services.chunks import proving
from lucid.services.chunks.chunks import Chunks
from lucid.services.chunks.handedin import SAID_BLOCKS
from lucid.services.chunks.proving import AskedProofs, Proving
from lucid.services.chunks.storedlists import StoredLists, kept
from lucid.services.process.space import Space
from lucid.storage.durable import DurableStore
from lucid.storage.errors import StoreSlow
from lucid.storage.sqlite import SqliteStore
from tests.services.chunks.fleets import body
from tests.waiting import until

BODIES = [bytes([number]) * (1_500 + 7_000 * number) for number in range(5)]
IDS = [chunk_id(data) for data in BODIES]
SESSION = b"s" * 16 + b"o" * 32
ROOT = session_root(IDS)


class Around:
    """A node on a chain that asks for one session, and takes what it is given."""

    def __init__(self, folder: Path, sqlite: SqliteStore) -> None:
        self.rules = 4
        self.asked: AskedProofs | None = AskedProofs(9, 2, ROOT.hex(), 5, ((4, 0b011 << 61), (0, 2**64 - 1)))
        self.status = 202
        self.taken: list[Any] = []
        self.unsigned: set[bytes] = set()
        self.store = DurableStore(sqlite)
        self.chunks = Chunks(folder / "chunks", self.store, Space(folder, folder / "ballast", 0, 0))
        self.proving = Proving(
            rules=self,
            chunks=self.chunks,
            lists=StoredLists(self.store),
            store=self.store,
            manager=self,  # type: ignore[arg-type]
            engine=self,  # type: ignore[arg-type]
            awaiting_receipt=self.kept_back,
        )

    async def kept_back(self, sessions: Sequence[bytes]) -> set[bytes]:
        """Those that wait for a receipt."""
        return self.unsigned & set(sessions)

    async def ask(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        """What the chain asks, or a proof."""
        if path == "/node/proofs":
            self.taken.append(body)
            return self.status, {}
        assert path == "/node/challenges" and SESSION.hex() in body["sessions"]
        return 200, msgspec.json.decode(msgspec.json.encode({"sessions": [self.asked] * len(body["sessions"])}))

    def understood(self) -> Any:
        """Everything is."""
        return closing(self)

    def close(self) -> None:
        """Nothing to do."""


async def run(folder: Path, test: Callable[[Around], Awaitable[None]]) -> None:
    """A node with a session in its store."""
    async with AsyncExitStack() as stack:
        node = Around(folder, stack.enter_context(closing(SqliteStore(folder / "data.sqlite"))))
        async with trio.open_nursery() as nursery:
            await nursery.start(node.store.run)
            for data in BODIES:
                await node.chunks.put(body(data), SESSION, None)
            await node.store.write(kept(SESSION, IDS))
            await test(node)
            nursery.cancel_scope.cancel()


async def test_it_shows_what_is_drawn_with_paths_to_the_root(tmp_path: Path) -> None:
    async def test(node: Around) -> None:
        await node.proving.look([SESSION])
        (said,) = node.taken
        assert (said["session"], said["epoch"], said["root"], said["chunks"]) == (SESSION.hex(), 2, ROOT.hex(), 5)
        first, second = decode(bytes.fromhex(said["answers"]), Answers)
        assert first.leads_to(ROOT, 5) and second.leads_to(ROOT, 5)
        assert (first.place, first.segments, first.segment, first.data) == (4, 8, 3, BODIES[4][3 * 4_096 : 4 * 4_096])
        assert (second.place, second.segments, second.segment, second.data) == (0, 1, 0, BODIES[0])

    await run(tmp_path, test)


async def test_a_proof_is_handed_in_once_an_epoch_and_again_if_it_does_not_come_to_the_chain(tmp_path: Path) -> None:
    async def test(node: Around) -> None:
        asked = node.asked
        assert asked is not None
        for _ in range(3):
            await node.proving.look([SESSION])
        assert len(node.taken) == node.proving.proven == 1
        node.asked = msgspec.structs.replace(asked, height=asked.height + SAID_BLOCKS)
        await node.proving.look([SESSION])
        node.asked = msgspec.structs.replace(asked, height=asked.height + SAID_BLOCKS, epoch=3)
        await node.proving.look([SESSION])
        assert len(node.taken) == 3
        node.status = 503  # the engine cannot take it yet
        node.asked = msgspec.structs.replace(asked, epoch=4)
        await node.proving.look([SESSION])
        await node.proving.look([SESSION])
        assert len(node.taken) == 5 and node.proving.proven == 3

    await run(tmp_path, test)


async def test_a_proof_waits_for_the_receipt_of_who_brought_the_copy(tmp_path: Path) -> None:
    async def test(node: Around) -> None:
        node.unsigned = {SESSION}
        await node.proving.look([SESSION])
        assert not node.taken
        node.unsigned.clear()
        await node.proving.look([SESSION])
        assert len(node.taken) == 1

    await run(tmp_path, test)


@pytest.mark.parametrize("how", ["rot", "gone", "another root", "another place", "another list"])
async def test_what_does_not_lead_to_the_root_is_not_handed_in(tmp_path: Path, how: str) -> None:
    async def test(node: Around) -> None:
        asked = node.asked
        assert asked is not None
        if how == "rot":
            place = node.chunks.folder.place(IDS[4])
            data = bytearray(place.read_bytes())
            data[3 * 4_096] ^= 1
            place.write_bytes(data)
        elif how == "gone":
            node.chunks.folder.remove(IDS[0])
        elif how == "another root":
            node.asked = msgspec.structs.replace(asked, root=bytes(32).hex())
        elif how == "another place":
            node.asked = msgspec.structs.replace(asked, draws=((5, 0), (0, 0)))
        else:
            await node.store.write(kept(SESSION, [*IDS[:4], IDS[0]]))
        await node.proving.look([SESSION])
        assert not node.taken
        if how == "rot":
            assert IDS[4] in node.chunks.reader.suspects, "it is looked at and repaired"

    await run(tmp_path, test)


async def test_a_session_that_takes_too_long_keeps_no_others_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its owner may have anchored a million chunks; those that stand after it would earn nothing, for ever."""
    large = b"l" * 48
    ids = StoredLists.ids

    def slowly(lists: StoredLists, session: bytes) -> list[bytes]:
        if session == large:
            raise StoreSlow
        return ids(lists, session)

    async def test(node: Around) -> None:
        await node.proving.look([large, SESSION])
        assert [each["session"] for each in node.taken] == [SESSION.hex()]

    monkeypatch.setattr(StoredLists, "ids", slowly)
    await run(tmp_path, test)


async def test_nothing_is_asked_before_rules_4(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proving, "LOOK_S", 0.02)

    async def test(node: Around) -> None:
        node.rules = 3
        async with trio.open_nursery() as nursery:
            nursery.start_soon(node.proving.run)
            await trio.sleep(0.2)
            assert not node.taken
            node.rules = 4
            await until(lambda: len(node.taken) == 1)
            node.asked = None
            await trio.sleep(0.2)
            assert len(node.taken) == 1
            nursery.cancel_scope.cancel()

    await run(tmp_path, test)
