"""No chunk file disappears, whatever store the data chain starts with: empty, older, another's, or beside strays."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import closing
from pathlib import Path

import pytest
import trio
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from lucid.chain.chunks import chunk_id
from lucid.services.chunks.chunks import Chunks
from lucid.services.chunks.sweeper import KEPT_MS
from lucid.services.process.driver import clock_ms
from lucid.services.process.space import Space
from lucid.storage.chunkfiles import ChunkFolder
from lucid.storage.durable import DurableStore
from lucid.storage.errors import StoreOther
from lucid.storage.identity import Identity, claim
from lucid.storage.sqlite import SqliteStore
from tests.services.chunks.fleets import body

ME = Identity(bytes(32), bytes(range(32)), "data")
SESSIONS = [bytes([number]) * 16 for number in (1, 2)]
BODIES = [bytes([number]) * 2_000 for number in range(4)]


class Node:
    """A chunk folder and the store that it is used with, without HTTP."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now = clock_ms()

    def run(self, store: str, *steps: tuple[str, int, int]) -> None:
        """Start with a store, do some steps, sweep far in the future and stop. Raises `StoreOther`."""
        trio.run(self._main, store, steps)

    async def _main(self, store: str, steps: tuple[tuple[str, int, int], ...]) -> None:
        with closing(SqliteStore(self.folder / store)) as inner:
            claim(
                inner, ME, self.folder / "data.home", next(ChunkFolder(self.folder / "chunks").chunks(), None) is None
            )
            durable = DurableStore(inner)
            chunks = Chunks(self.folder / "chunks", durable, Space(self.folder, self.folder / "ballast", 0, 0))
            async with trio.open_nursery() as nursery:
                await nursery.start(durable.run)
                await chunks.adoption.take_in()
                for kind, number, session in steps:
                    if kind == "put":
                        await chunks.put(body(BODIES[number]), SESSIONS[session], None)
                    else:
                        await chunks.release(chunk_id(BODIES[number]), SESSIONS[session])
                await chunks.sweeper.sweep(self.now + 100 * KEPT_MS)
                await chunks.adoption.take_in()
                nursery.cancel_scope.cancel()


class Folders(RuleBasedStateMachine):
    """What is stored and not let go through a store stays, whichever store is used in between."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.node = Node(self.folder)
        self.held: dict[int, set[int]] = {}
        self.copies: list[str] = []
        self.node.run("data.sqlite")

    @rule(number=st.integers(0, 3), session=st.integers(0, 1))
    def put(self, number: int, session: int) -> None:
        self.node.run("data.sqlite", ("put", number, session))
        self.held.setdefault(number, set()).add(session)

    @rule(number=st.integers(0, 3), session=st.integers(0, 1))
    def let_go(self, number: int, session: int) -> None:
        """Only what nobody has come to refer to may go, ever."""
        self.node.run("data.sqlite", ("release", number, session))
        if number in self.held:
            self.held[number].discard(session)
            if not self.held[number]:
                del self.held[number]

    @rule()
    def copy(self) -> None:
        name = f"copy{len(self.copies)}"
        shutil.copy(self.folder / "data.sqlite", self.folder / name)
        self.copies.append(name)

    @rule(data=st.data())
    def start_with_a_copy(self, data: st.DataObject) -> None:
        """An older store: what it lets go of may have come to be referred to since."""
        if self.copies:
            self.node.run(data.draw(st.sampled_from(self.copies)))

    @rule()
    def start_with_a_mistyped_store(self) -> None:
        if next(ChunkFolder(self.folder / "chunks").chunks(), None) is not None:
            with pytest.raises(StoreOther, match="it is empty"):
                self.node.run("typo.sqlite")

    @rule(name=st.sampled_from([".DS_Store", "X.bak", ".00ff.aB3xYz", "00" * 32, "incoming.tmp"]))
    def leave_a_stray(self, name: str) -> None:
        (self.folder / "chunks" / "ab").mkdir(parents=True, exist_ok=True)
        (self.folder / "chunks" / "ab" / name).write_bytes(b"stray")

    @invariant()
    def nothing_is_lost(self) -> None:
        folder = ChunkFolder(self.folder / "chunks")
        for number in self.held:
            assert folder.place(chunk_id(BODIES[number])).read_bytes() == BODIES[number]
        for path in (self.folder / "chunks" / "ab").glob("*"):
            assert path.read_bytes() == b"stray" or path.name in {chunk_id(each).hex() for each in BODIES}

    def teardown(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder)


TestFolders = Folders.TestCase
TestFolders.settings = settings(max_examples=12, stateful_step_count=12, deadline=None)
