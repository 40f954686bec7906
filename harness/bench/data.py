"""`lucid bench data`: the data chain's store against bare loops over the same bytes, and how it grows, in one run."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import NamedTuple

import trio
from blake3 import blake3

from harness.bench.proofcost import bench_proofs
from harness.bench.row import Row, Say
from lucid.chain.challenges import ANSWERS
from lucid.chain.chunks import session_root
from lucid.chain.codec import encode
from lucid.chain.placement import REPLICATION_FACTOR, PlacedNode, placement
from lucid.chain.segments import segment_count, verify_segment
from lucid.ledger.rowstore import Write
from lucid.services.chunks.chunkreader import ChunkReader
from lucid.services.chunks.chunks import Chunks
from lucid.services.chunks.inspection import Inspection
from lucid.services.chunks.proving import AskedProofs, shown_answers
from lucid.services.process.space import Space
from lucid.storage.chunkrow import CHUNK_TABLE, ChunkRow
from lucid.storage.chunkseal import SEAL_TABLE
from lucid.storage.durable import DurableStore
from lucid.storage.hashcache import HashCache
from lucid.storage.logged import LoggedStore
from lucid.storage.sqlite import SqliteStore

PARTS = ("store", "read", "scrub", "challenge", "proofs", "million", "lost")
CHUNK_BYTES = 8 << 20
CHUNKS = 8
ROUNDS = 5
PART_BYTES = 64 << 10
"""Of an upload, as HTTP brings them."""
CHALLENGES = 20
SESSION_CHUNKS = 500
"""Of a session of some hours."""
MANY = 1_000_000
FEWER = 100
"""Times fewer chunks are what many are compared with."""
PAGE = 10_000
LOOK_UPS = 20_000
NODES = 10
PLACED = 100_000
MIB = 1 << 20
SESSION = bytes(48)

START = """
import random, sys, time
from contextlib import closing
from pathlib import Path
from blake3 import blake3
from lucid.services.chunks.chunks import Chunks
from lucid.services.process.space import Space
from lucid.storage.durable import DurableStore
from lucid.storage.sqlite import SqliteStore
folder, count, looks = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
with closing(SqliteStore(folder / "data.sqlite")) as sqlite:
    began, cpu = time.monotonic(), time.process_time()
    chunks = Chunks(folder / "chunks", DurableStore(sqlite), Space(folder, folder / "ballast", 0, 0))
    start_s, start_cpu_s = time.monotonic() - began, time.process_time() - cpu
    assert chunks.inventory.count == count
    chance = random.Random(5)
    ids = [blake3(chance.randrange(count).to_bytes(8, "big")).digest() for _ in range(looks)]
    for chunk in ids[:100]:
        chunks.rows.row(chunk)
    cpu = time.process_time()
    for chunk in ids:
        assert chunks.rows.row(chunk) is not None
    look_s = (time.process_time() - cpu) / looks
    # Not `ru_maxrss`: that of a process begins with what the one had that started it.
    status = Path("/proc/self/status").read_text()
    peak = int(status.split("VmHWM:")[1].split()[0]) / 1024
    print(start_s, start_cpu_s, look_s, peak)
"""


class Kept(NamedTuple):
    """A store with chunks of `CHUNK_BYTES` in it."""

    folder: Path
    chunks: Chunks
    ids: list[bytes]
    bodies: list[bytes]


def bench_data(only: Sequence[str] | None, say: Say, many: int = MANY) -> list[Row]:
    """Measure the parts asked for, all by default; `say` is told what is going on, `many` is how many chunks are many.

    Raises OSError where the disk of the current folder has no room.
    """
    rows: list[Row] = []
    with TemporaryDirectory(prefix="lucid-bench-data-", dir=".") as name:
        folder = Path(name)
        asked = [part for part in PARTS if not only or part in only]
        if {"store", "read", "scrub", "challenge"} & set(asked):
            rows += trio.run(_of_bytes, folder, asked, say)
        if "proofs" in asked:
            rows += bench_proofs(say)
        if "million" in asked:
            rows += _million(folder, many, say)
        if "lost" in asked:
            rows += _lost(say)
    return rows


# -- bytes ---------------------------------------------------------------------------------------------------------


async def _of_bytes(folder: Path, asked: Sequence[str], say: Say) -> list[Row]:
    rows: list[Row] = []
    chance = random.Random(4)
    bodies = [chance.randbytes(CHUNK_BYTES) for _ in range(CHUNKS)]
    async with _opened(folder) as chunks:
        ids = [(await chunks.put(_upload(data), SESSION, None))[0] for data in bodies]
        kept = Kept(folder, chunks, ids, bodies)
        if "store" in asked:
            rows += await _store(kept, say)
        if "read" in asked:
            rows += await _read(kept, say)
        if "scrub" in asked:
            rows += await _scrub(kept, say)
        if "challenge" in asked:
            rows += await _challenge(kept, say)
    return rows


@asynccontextmanager
async def _opened(folder: Path) -> AsyncIterator[Chunks]:
    with closing(LoggedStore(folder / "data.sqlite")) as embedded:  # as the service opens it
        store = DurableStore(embedded)
        chunks = Chunks(folder / "chunks", store, Space(folder, folder / "ballast", 0, 0))
        async with trio.open_nursery() as nursery:
            await nursery.start(store.run)
            yield chunks
            store.end()
            nursery.cancel_scope.cancel()


async def _upload(data: bytes) -> AsyncIterator[bytes]:
    for first in range(0, len(data), PART_BYTES):
        yield data[first : first + PART_BYTES]


async def _shares(
    say: Say,
    part: str,
    bare: Callable[[], None],
    ours: Callable[[], Awaitable[None]],
    before: Callable[[], None] = lambda: None,
) -> float:
    """How much of a bare loop's speed ours has: the median of rounds in which one follows the other. `before` each of
    them something is done that is not counted."""
    shares = []
    for turn in range(ROUNDS):
        say(f"{part}: round {turn + 1} of {ROUNDS}")
        before()
        began = time.monotonic()
        await trio.to_thread.run_sync(bare)
        bare_s = time.monotonic() - began
        before()
        began = time.monotonic()
        await ours()
        shares.append(bare_s / (time.monotonic() - began))
    return median(shares)


async def _store(kept: Kept, say: Say) -> list[Row]:
    turn, stored, fresh = 0, list[Path](), list[bytes]()

    def bare() -> None:
        for number, data in enumerate(kept.bodies):
            path = kept.folder / f"bare{number}"
            stored.append(path)
            with path.open("xb") as file:
                blake3(data).digest()
                file.write(data)
                file.flush()
                os.fsync(file.fileno())

    async def ours() -> None:
        for data in fresh:
            chunk, _, _ = await kept.chunks.put(_upload(data), SESSION, None, len(data))
            stored.append(kept.chunks.folder.place(chunk))

    def prepare() -> None:
        nonlocal turn
        turn += 1
        fresh[:] = [turn.to_bytes(8, "big") + data[8:] for data in kept.bodies]
        # Both begin with the same memory: a machine that was never full gives a file new pages slowly.
        while stored:
            stored.pop().unlink()
        os.sync()

    share = await _shares(say, "store", bare, ours, prepare)
    return [Row("store", "8 MiB chunks stored: share of hashing and fsyncing", share, "at least 0.5", share >= 0.5)]


async def _read(kept: Kept, say: Say) -> list[Row]:
    async def whole(reader: ChunkReader) -> None:
        for chunk in kept.ids:
            stored = await reader.open(chunk)
            assert stored is not None, "it was stored"
            async for _ in reader.parts(stored, 0, stored.size):
                pass

    def bare() -> None:
        _read_bare(kept)

    share = await _shares(say, "read", bare, lambda: whole(kept.chunks.reader))
    first = await _shares(say, "read", bare, lambda: whole(ChunkReader(kept.chunks.inventory)))
    return [
        Row("read", "8 MiB chunks read, verified: share of reading and hashing", share, "at least 0.5", share >= 0.5),
        Row("read", "the same for the first time since a start, by the seal", first, "at least 0.5", first >= 0.5),
    ]


async def _scrub(kept: Kept, say: Say) -> list[Row]:
    async def all_of(inspection: Inspection) -> None:
        for chunk in kept.ids:
            await inspection.check(chunk)

    def bare() -> None:
        _read_bare(kept)

    def uncache() -> None:
        # A scrub reads what the disk has, so the bare loop must not read what memory has.
        _uncache(kept)

    inventory = kept.chunks.inventory
    share = await _shares(say, "scrub", bare, lambda: all_of(kept.chunks.inspection), uncache)
    first = await _shares(say, "scrub", bare, lambda: all_of(Inspection(inventory, HashCache(0))), uncache)
    return [
        Row("scrub", "8 MiB chunks scrubbed: share of reading and hashing", share, "at least 0.7", share >= 0.7),
        Row("scrub", "the same for the first time since a start, by the tree", first, "", None),
    ]


def _uncache(kept: Kept) -> None:
    for chunk in kept.ids:
        with kept.chunks.folder.place(chunk).open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _read_bare(kept: Kept) -> None:
    for chunk in kept.ids:
        blake3(kept.chunks.folder.place(chunk).read_bytes()).digest()


async def _challenge(kept: Kept, say: Say) -> list[Row]:
    say(f"challenge: {CHALLENGES} answers")
    chance, answers, checks = random.Random(6), list[float](), list[float]()
    for _ in range(CHALLENGES):
        chunk = chance.choice(kept.ids)
        wanted = chance.randrange(segment_count(CHUNK_BYTES))
        began = time.process_time()
        found = await kept.chunks.reader.proof(chunk, lambda size, wanted=wanted: wanted)  # type: ignore[misc]
        middle = time.process_time()
        assert found is not None and verify_segment(chunk, found.size, found.number, found.data, found.path)
        checks.append(1_000 * (time.process_time() - middle))
        answers.append(1_000 * (middle - began))
    answer, check = median(answers), median(checks)
    return [
        Row("challenge", "a segment and its path from a warm store: ms of CPU", answer, "at most 5", answer <= 5),
        Row("challenge", "verifying it: ms of CPU", check, "at most 1", check <= 1),
        *await _proof(kept, chance),
    ]


async def _proof(kept: Kept, chance: random.Random) -> list[Row]:
    """Whole storage proofs of a session: two segments, and the paths of their chunks to its root."""
    ids = [chance.choice(kept.ids) for _ in range(SESSION_CHUNKS)]
    root, answers, checks = session_root(ids), list[float](), list[float]()
    for _ in range(CHALLENGES):
        draws = tuple((chance.randrange(len(ids)), chance.getrandbits(64)) for _ in range(ANSWERS))
        began = time.process_time()
        shown = await shown_answers(kept.chunks, ids, AskedProofs(1, 1, root.hex(), len(ids), draws))
        middle = time.process_time()
        assert shown is not None and all(answer.in_bounds and answer.leads_to(root, len(ids)) for answer in shown)
        checks.append(1_000 * (time.process_time() - middle) / ANSWERS)
        answers.append(1_000 * (middle - began) / ANSWERS)
    answer, check = median(answers), median(checks)
    what = f"a storage proof of a session of {SESSION_CHUNKS} chunks, each of its segments"
    return [
        Row("challenge", f"{what}: ms of CPU", answer, "at most 5", answer <= 5),
        Row("challenge", "verifying it, each of its segments: ms of CPU", check, "at most 1", check <= 1),
    ]


# -- many ----------------------------------------------------------------------------------------------------------


def _million(folder: Path, many: int, say: Say) -> list[Row]:
    """Rows alone, without the files, which take too long to make: what a start reads of them comes on top."""
    few = max(1, many // FEWER)
    found = {}
    for count in (few, many):
        say(f"million: a store of {count} chunks")
        place = folder / f"of{count}"
        (place / "chunks").mkdir(parents=True)
        _fill(place, count)
        said = subprocess.run(
            [sys.executable, "-c", START, str(place), str(count), str(LOOK_UPS)],
            check=True,
            capture_output=True,
            text=True,
        )
        found[count] = [float(each) for each in said.stdout.split()]
    start_s, start_cpu_s, look_s, peak = found[many]
    growth = look_s / found[few][2]
    return [
        Row("million", f"look-up among {many} chunks: times that among {few}", growth, "at most 2", growth <= 2),
        Row("million", "look-up: microseconds of CPU", look_s * 1e6, "", None),
        Row("million", f"resident memory with {many} chunks: MiB", peak, "below 160", peak < 160),
        Row("million", f"start with {many} chunks: seconds of CPU", start_cpu_s, "at most 5", start_cpu_s <= 5),
        Row("million", "the same by the clock", start_s, "", None),
    ]


def _fill(place: Path, count: int) -> None:
    row = encode(ChunkRow(CHUNK_BYTES, 0))
    with closing(SqliteStore(place / "data.sqlite")) as sqlite:
        for first in range(0, count, PAGE):
            last = min(count, first + PAGE)
            ids = [blake3(number.to_bytes(8, "big")).digest() for number in range(first, last)]
            writes: list[Write] = [(CHUNK_TABLE, chunk, row) for chunk in ids]
            writes += [(SEAL_TABLE, chunk, blake3(chunk).digest()) for chunk in ids]
            sqlite.write(writes)


def _lost(say: Say) -> list[Row]:
    """Where copies belong before and after one of ten nodes is retired: each copy that is new is moved, once."""
    say(f"lost: one node of {NODES}, {PLACED} chunks")
    nodes = [PlacedNode(blake3(b"node" + bytes([number])).digest()) for number in range(NODES)]
    lost = moved = 0
    for number in range(PLACED):
        chunk = blake3(number.to_bytes(8, "big")).digest()
        before = placement(chunk, nodes, REPLICATION_FACTOR)
        after = placement(chunk, nodes[1:], REPLICATION_FACTOR)
        lost += nodes[0].key in before
        moved += len(set(after) - set(before))
    share = moved / lost
    return [Row("lost", f"copies moved for each that a lost node of {NODES} had", share, "at most 1.2", share <= 1.2)]
