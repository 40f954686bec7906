"""References, needs of other nodes and collection against a simple model, and with a crash at every step."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from lucid.chain.chunks import chunk_id
from lucid.services.chunks.chunks import Chunks
from lucid.services.chunks.letgo import GONE_MS
from lucid.services.chunks.sessionreferences import SessionReferences
from lucid.services.chunks.sweeper import KEPT_MS
from lucid.services.process.disk import Disk
from lucid.services.process.driver import clock_ms
from lucid.storage.durable import DurableStore
from lucid.storage.findings import Finding
from tests.services.chunks.fleets import body
from tests.services.chunks.nodechunks import opened

BODIES = [bytes([number]) * (1_500 + number) for number in range(3)]
IDS = [chunk_id(data) for data in BODIES]
SESSIONS = [bytes([number]) * 16 for number in (1, 2)]
PEERS = [bytes([number]) * 32 for number in (7, 8)]
HOUR_MS = 3_600_000


class Model:
    """What must be so, in dictionaries."""

    def __init__(self) -> None:
        self.now = 1_800_000_000_000
        self.sessions: dict[int, set[int]] = {}
        """Of each chunk that is there."""
        self.needs: dict[int, dict[int, int]] = {number: {} for number in range(3)}
        """The stores in which other nodes need a chunk, by node."""
        self.unused: dict[int, int] = {}
        self.gone: dict[int, int] = {}
        self.stores = [0, 0]

    def put(self, chunk: int, session: int) -> None:
        """A chunk is stored for a session."""
        self.sessions.setdefault(chunk, set()).add(session)
        self.unused.pop(chunk, None)
        self.gone.pop(chunk, None)

    def copy(self, chunk: int) -> None:
        """A copy comes."""
        if chunk not in self.sessions:
            self.sessions[chunk] = set()
            if chunk in self.gone:
                self.unused[chunk] = self.now

    def release(self, chunk: int, session: int) -> None:
        """A session lets go."""
        if session in self.sessions.get(chunk, set()):
            self.sessions[chunk].discard(session)
            self._free(chunk)

    def need(self, chunk: int, peer: int) -> None:
        """A node says that it needs a chunk."""
        if chunk in self.sessions:
            self.needs[chunk][peer] = self.stores[peer]
            self.unused.pop(chunk, None)
        else:
            self.gone.pop(chunk, None)

    def free(self, chunk: int, peer: int) -> None:
        """A node says that it let go of a chunk."""
        if self.needs[chunk].get(peer) == self.stores[peer]:
            del self.needs[chunk][peer]
        self._free(chunk)

    def _free(self, chunk: int) -> None:
        if chunk in self.sessions and not self.sessions[chunk] and not self.needs[chunk]:
            self.unused.setdefault(chunk, self.now)

    def sweep(self, vetoed: set[int]) -> int:
        """What is due goes, unless another node needs it."""
        due = [each for each, since in self.unused.items() if since <= self.now - KEPT_MS and each not in vetoed]
        for chunk in due:
            del self.sessions[chunk], self.unused[chunk]
            self.gone[chunk] = self.now
        self.gone = {chunk: at for chunk, at in self.gone.items() if at > self.now - GONE_MS}
        return len(due)


def steps() -> st.SearchStrategy[list[tuple[Any, ...]]]:
    """What may happen, in any order."""
    chunk, session, peer = st.integers(0, 2), st.integers(0, 1), st.integers(0, 1)
    return st.lists(
        st.one_of(
            st.tuples(st.just("put"), chunk, session),
            st.tuples(st.just("copy"), chunk),
            st.tuples(st.just("release"), chunk, session),
            st.tuples(st.just("remove"), session),
            st.tuples(st.just("need"), chunk, peer),
            st.tuples(st.just("free"), chunk, peer),
            st.tuples(st.just("wipe"), peer),
            st.tuples(st.just("wait"), st.sampled_from([1, 13, 25, 31 * 24])),
            st.tuples(st.just("sweep"), st.sets(chunk)),
            st.tuples(st.just("restart")),
        ),
        min_size=4,
        max_size=25,
    )


async def do(step: tuple[Any, ...], model: Model, store: DurableStore, chunks: Chunks) -> None:
    """One step, in the model and for real."""
    kind, *values = step
    if kind == "wipe":
        model.stores[values[0]] += 1
    elif kind == "wait":
        model.now += values[0] * HOUR_MS
    elif kind == "remove":
        for chunk in range(3):
            model.release(chunk, values[0])
        await SessionReferences(store, chunks).remove(SESSIONS[values[0]])
    elif kind == "sweep":

        async def agreed(asked: Sequence[bytes]) -> set[bytes]:
            return set(asked) - {IDS[each] for each in values[0]}

        chunks.sweeper.agreed = agreed
        assert await chunks.sweeper.sweep(model.now) == model.sweep(values[0])
    else:
        chunk = values[0]
        if kind in ("need", "free"):
            name = bytes([model.stores[values[1]]]) * 16
        getattr(model, kind)(*values)
        if kind in ("put", "copy"):
            session = SESSIONS[values[1]] if kind == "put" else None
            await chunks.put(body(BODIES[chunk]), session, IDS[chunk])
        elif kind == "release":
            await chunks.release(IDS[chunk], SESSIONS[values[1]])
        elif kind == "need":
            await chunks.needed(PEERS[values[1]], name, [IDS[chunk]])
        else:
            await chunks.freed(IDS[chunk], PEERS[values[1]], name)


class Found(NamedTuple):
    """What a node knows of a chunk."""

    sessions: set[int] | None
    needs: dict[int, int]
    unused: bool
    gone: bool
    there: bool


def look(chunks: Chunks, chunk: int) -> Found:
    """What a node's store and folder say of a chunk."""
    known, identity = chunks.rows.known(IDS[chunk]), IDS[chunk]
    return Found(
        None if known is None else {SESSIONS.index(each) for each in known.sessions},
        {PEERS.index(node): name[0] for node, name in chunks.needs.of(identity).items()},
        known is not None and known.row.unused_since_ms > 0,
        chunks.inventory.let_go.gone(identity),
        chunks.folder.place(identity).exists(),
    )


async def check(model: Model, store: DurableStore, chunks: Chunks) -> None:
    """Whether store, folder and figures are as the model has them."""
    for chunk in range(3):
        there = chunk in model.sessions
        assert await store.read(look, chunks, chunk) == Found(
            model.sessions.get(chunk), model.needs[chunk], chunk in model.unused, chunk in model.gone, there
        )
        if there:
            assert await chunks.inspection.check(IDS[chunk]) == (Finding.SOUND, len(BODIES[chunk]))
    assert chunks.inventory.count == len(model.sessions)
    assert chunks._space.used == sum(len(BODIES[each]) for each in model.sessions)


async def play(script: list[tuple[Any, ...]], folder: Path, model: Model) -> None:
    """A script, with a new start wherever it says so."""
    parts: list[list[tuple[Any, ...]]] = [[]]
    for step in script:
        parts[-1].append(step)
        if step[0] == "restart":
            parts[-1].pop()
            parts.append([])
    for part in parts:
        async with opened(folder, lambda: model.now) as (store, chunks):
            await check(model, store, chunks)
            for step in part:
                await do(step, model, store, chunks)
                await check(model, store, chunks)


@settings(max_examples=40, deadline=None)
@given(steps())
def test_chunks_are_kept_and_go_as_a_simple_model_says(script: list[tuple[Any, ...]]) -> None:
    model = Model()
    with tempfile.TemporaryDirectory() as folder:
        trio.run(play, script, Path(folder), model)


async def test_a_file_that_comes_back_after_it_was_gone_is_kept_in_doubt(tmp_path: Path) -> None:
    """As where an older store is put back: it remembers as gone what was stored again since."""
    async with opened(tmp_path) as (store, chunks):
        await chunks.put(body(BODIES[0]), SESSIONS[0], IDS[0])
        await chunks.release(IDS[0], SESSIONS[0])
        assert await chunks.sweeper.sweep(clock_ms() + KEPT_MS + HOUR_MS) == 1
        assert await store.read(look, chunks, 0) == Found(None, {}, False, True, False)
    chunks.folder.place(IDS[0]).write_bytes(BODIES[0])
    async with opened(tmp_path) as (store, chunks):
        assert await store.read(look, chunks, 0) == Found(set(), {}, False, False, True)
        assert not await store.read(chunks.rows.let_go, IDS[0])
        assert await chunks.sweeper.sweep(clock_ms() + 3 * KEPT_MS) == 0


SCRIPT: list[tuple[Any, ...]] = [
    ("put", 0, 0), ("put", 0, 1), ("put", 1, 0), ("copy", 2), ("need", 2, 0), ("need", 0, 1), ("remove", 0),
    ("release", 0, 1), ("free", 0, 1), ("wait", 13), ("put", 0, 1), ("free", 2, 0), ("release", 0, 1), ("need", 1, 0),
    ("free", 1, 0), ("wait", 25), ("sweep", {1}), ("copy", 2), ("sweep", set()), ("wait", 25), ("sweep", set()),
]  # fmt: skip


class Crash(NamedTuple):
    """A copy of a node's folder at one moment of a step, and what was so before and after that step."""

    folder: Path
    step: tuple[Any, ...]
    before: dict[int, set[int]]
    after: dict[int, set[int]]
    now_ms: int


@pytest.fixture
def crashes(tmp_path: Path) -> Iterator[list[Crash]]:
    """Every moment of the script between two things that reach the disk, as a crash would leave it."""
    live, found, model = tmp_path / "live", list[Crash](), Model()
    taken: list[Path] = []

    def snapshot() -> None:
        taken.append(tmp_path / f"crash{len(found)}-{len(taken)}")
        shutil.copytree(live, taken[-1])

    def watched(inner: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def outer(self: Any, *arguments: Any, **named: Any) -> Any:
            snapshot()
            try:
                return await inner(self, *arguments, **named)
            finally:
                snapshot()

        return outer

    async def main() -> None:
        async with opened(live, lambda: model.now) as (store, chunks):
            for step in SCRIPT:
                before = {chunk: set(held) for chunk, held in model.sessions.items()}
                needs = {chunk for chunk, nodes in model.needs.items() if nodes}
                with pytest.MonkeyPatch.context() as patch:
                    for kind, name in ((Disk, "call"), (Disk, "finish"), (DurableStore, "write")):
                        patch.setattr(kind, name, watched(getattr(kind, name)))
                    await do(step, model, store, chunks)
                needs &= {chunk for chunk, nodes in model.needs.items() if nodes}
                for chunk in needs:
                    before[chunk] = before.get(chunk, set()) | {9}
                after = {chunk: held | ({9} if chunk in needs else set()) for chunk, held in model.sessions.items()}
                found.extend(Crash(folder, step, before, after, model.now) for folder in taken)
                taken.clear()

    live.mkdir()
    trio.run(main)
    yield found


def test_a_crash_at_any_step_loses_nothing_that_is_needed_and_leaves_nothing_behind(crashes: list[Crash]) -> None:
    assert len(crashes) > 60, "each step has its moments"

    async def judge(crash: Crash) -> None:
        async with opened(crash.folder, lambda: crash.now_ms) as (store, chunks):
            for chunk in range(3):
                before, after = crash.before.get(chunk, set()), crash.after.get(chunk, set())
                found = await store.read(look, chunks, chunk)
                if before & after:
                    assert found.there and await chunks.inspection.check(IDS[chunk]) == (
                        Finding.SOUND,
                        len(BODIES[chunk]),
                    )
                assert (before & after) - {9} <= (found.sessions or set()) <= before | after
                # Whatever is left goes, once all let it go, and a second start finds the same.
                for session in sorted(found.sessions or ()):
                    await chunks.release(IDS[chunk], SESSIONS[session])
                for peer in range(2):
                    await chunks.freed(IDS[chunk], PEERS[peer], bytes(16))
            await chunks.sweeper.sweep(crash.now_ms + 3 * KEPT_MS)
        async with opened(crash.folder, lambda: crash.now_ms) as (store, chunks):
            # An upload that was cut off may leave a chunk that is kept, in doubt, until its client goes on and lets go.
            for left in sorted(chunks.folder.chunks()):
                assert crash.step[0] in ("put", "copy") and IDS[crash.step[1]] == left
                await chunks.put(body(BODIES[IDS.index(left)]), SESSIONS[0], left)
                await chunks.release(left, SESSIONS[0])
            await chunks.sweeper.sweep(crash.now_ms + 6 * KEPT_MS)
            assert (chunks.inventory.count, chunks._space.used, chunks.inventory.quarantined) == (0, 0, 0)
            assert not list(chunks.folder.chunks()) and not list(chunks.folder.incoming.iterdir())

    for crash in crashes:
        try:
            trio.run(judge, crash)
        except BaseException as error:
            raise AssertionError(f"cut in {crash.step}, {crash.folder.name}") from error
