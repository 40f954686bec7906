"""No chunk file disappears, whatever store the data chain starts with: empty, older, another's, or beside strays."""

from __future__ import annotations

import logging
import os
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
from lucid.services.chunks.chunks import KEPT_MS, Chunks
from lucid.services.process.driver import clock_ms
from lucid.services.process.space import Space
from lucid.storage.chunkfiles import ChunkFolder
from lucid.storage.durable import DurableStore
from lucid.storage.identity import Identity, claim
from lucid.storage.interface import StoreOther
from lucid.storage.sqlite import SqliteStore
from tests.services.fleets import body
from tests.services.test_data import CHUNK, SESSION, place, running

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
                await chunks.take_in()
                for kind, number, session in steps:
                    if kind == "put":
                        await chunks.put(body(BODIES[number]), SESSIONS[session], None)
                    else:
                        await chunks.release(chunk_id(BODIES[number]), SESSIONS[session])
                await chunks.sweep(self.now + 100 * KEPT_MS)
                await chunks.take_in()
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


async def test_a_file_that_no_row_knows_is_taken_in_or_set_aside(tmp_path: Path) -> None:
    other = CHUNK + b"other"
    async with running(tmp_path) as (service, client):
        await client.put(place(CHUNK), content=CHUNK)
        good, bad = (service.chunks.folder.place(chunk_id(each)) for each in (other, other + b"?"))
        for path, data in ((good, other), (bad, b"these are other bytes" * 100)):
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(data)
    async with running(tmp_path) as (service, client):
        with trio.fail_after(60):
            while not service.chunks.quarantined:
                await trio.sleep(0.01)
        assert (await client.get(place(other))).content == other
        assert not bad.exists() and (tmp_path / "chunks" / "quarantine" / bad.name).exists()
        health = (await client.get("/health")).json()
        assert [each["state"] for each in health["conditions"]] == ["quarantine"]
        (tmp_path / "chunks" / "quarantine" / bad.name).unlink()
        with trio.fail_after(60):
            while (await client.get("/health")).status_code != 200:
                await trio.sleep(0.1)
        assert await service.chunks.sweep(clock_ms() + 100 * KEPT_MS) == 0, "nobody let it go"


async def test_strays_are_named_once_and_left(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    strays = [Path("ab/.DS_Store"), Path("ab/X.bak"), Path("notes.txt"), Path("incoming/.rsync.tmp"), Path("ab/folder")]
    for stray in strays:
        (tmp_path / "chunks" / stray).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "chunks" / stray).touch() if stray.name != "folder" else (tmp_path / "chunks" / stray).mkdir()
    os.symlink("/dev/zero", tmp_path / "chunks" / "ab" / ("ab" * 32))
    with caplog.at_level(logging.WARNING, "lucid.chunks"):
        async with running(tmp_path) as (service, client):
            for _ in range(2):
                await service.chunks.sweep(clock_ms())
                await service.chunks.take_in()
            assert (await client.get("/health")).status_code == 200
    assert all((tmp_path / "chunks" / stray).exists() for stray in strays)
    assert sum(".DS_Store" in message for message in caplog.messages) == 1


async def test_an_older_store_that_knows_far_less_is_refused(tmp_path: Path) -> None:
    async with running(tmp_path):
        pass
    shutil.copy(tmp_path / "data.sqlite", tmp_path / "older")
    async with running(tmp_path) as (_, client):
        for number in range(10):
            data = bytes([number]) * 2_000
            assert (await client.put(place(data, SESSION), content=data)).status_code == 201
    shutil.copy(tmp_path / "older", tmp_path / "data.sqlite")
    with pytest.raises(StoreOther, match="knows 0 chunks"):
        async with running(tmp_path):
            pass
    assert len(list(ChunkFolder(tmp_path / "chunks").chunks())) == 10
