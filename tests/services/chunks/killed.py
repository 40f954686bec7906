"""The operations of the data chain that have several steps, each with what must be so after it was cut off anywhere.

A node has three chunks that were acknowledged: A of one session, B of two, C as a copy. After a cut all that was
acknowledged and not being removed is there, whole and referred to; the operation can be done again; and once everything
is let go of nothing is left: no file, no row, no byte counted.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, closing
from functools import partial
from pathlib import Path

import trio
from msgspec.json import encode as encoded

from harness.notary import CRYPTO, OWNER, SESSION, Notary
from lucid.chain.chunks import chunk_id
from lucid.chain.manifests import check_manifest
from lucid.client.bundle import BundleIndex, FileEntry
from lucid.client.fetching import fetch_files, partial_file
from lucid.client.sealing import key_commitment, seal, session_key
from lucid.services.chunks.chunks import Chunks
from lucid.services.chunks.origins import ORIGIN_TABLE
from lucid.services.chunks.reference import REFERENCE_TABLE
from lucid.services.chunks.referenceindex import INDEX_TABLE, SUM_TABLE
from lucid.services.chunks.scrub import Pace, Scrub
from lucid.services.chunks.sessionreferences import SessionReferences
from lucid.services.chunks.sweeper import KEPT_MS
from lucid.storage.chunkrow import CHUNK_TABLE
from lucid.storage.chunkseal import SEAL_TABLE
from lucid.storage.durable import DurableStore
from lucid.storage.findings import Finding
from lucid.storage.interface import Store
from lucid.storage.logged import WORTH_COMMITS, LoggedStore
from lucid.storage.transfer import export_store, import_store
from tests.services.chunks.fleets import body
from tests.services.chunks.killing import Operation, Steps
from tests.services.chunks.nodechunks import opened

NOW_MS = 1_800_000_000_000
A, B, C, NEW = (bytes([number]) * (20_000 + number) for number in range(4))
LARGE = bytes(range(256)) * 5_000
IDS = {chunk_id(data): data for data in (A, B, C, NEW, LARGE)}
FIRST, SECOND = (bytes([number]) * 16 + bytes(32) for number in (1, 2))
PEER, NAME = bytes([7]) * 32, bytes(16)

FETCHED = {"a": b"one", "d/b": b"two", "d/c": b"three"}

Act = Callable[[DurableStore, Chunks], Awaitable[object]]


def node(folder: Path, now_ms: int = NOW_MS) -> AbstractAsyncContextManager[tuple[DurableStore, Chunks]]:
    """A node's store and chunks, the store as its service has it."""
    return opened(folder, lambda: now_ms, make=LoggedStore)


async def put(chunks: Chunks, data: bytes, session: bytes | None) -> None:
    """Store a chunk."""
    await chunks.put(body(data), session, chunk_id(data))


async def three(folder: Path) -> None:
    """The chunks that are there before."""
    async with node(folder) as (_, chunks):
        for data, session in ((A, FIRST), (B, FIRST), (B, SECOND), (C, None)):
            await put(chunks, data, session)


async def wants(store: DurableStore, chunks: Chunks, data: bytes, sessions: set[bytes] | None) -> None:
    """A chunk is there, whole and referred to by these sessions; None: it is not there."""
    known = await store.read(chunks.rows.known, chunk_id(data))
    assert (None if known is None else set(known.sessions)) == sessions
    if known is not None:
        assert await chunks.inspection.check(chunk_id(data)) == (Finding.SOUND, len(data))


async def clean(folder: Path, aside: int = 0) -> None:
    """Let go of everything: what is left then has leaked. `aside` files may be in quarantine."""
    async with node(folder) as (store, chunks):
        files, rows = set(chunks.folder.chunks()), {chunk for chunk, _ in await _rows(store, CHUNK_TABLE)}
        faults = {chunk for chunk, _ in await store.read(lambda: chunks.faults.page(b"", 100))}
        assert files <= rows <= files | faults and not list(chunks.folder.uploads())
        assert chunks.inventory.quarantined <= aside and (chunks.inventory.count, chunks.inventory.space.used) == (
            len(rows),
            sum(len(IDS[chunk]) for chunk in rows),
        )
        for chunk in sorted(rows):
            # Copies and what is in doubt go once a session has let go of them.
            await put(chunks, IDS[chunk], FIRST)
            await chunks.freed(chunk, PEER, NAME)
        for session in (FIRST, SECOND):
            await SessionReferences(store, chunks).remove(session)
    async with node(folder, NOW_MS + 2 * KEPT_MS) as (store, chunks):
        await chunks.sweeper.sweep(NOW_MS + 2 * KEPT_MS)
        assert not list(chunks.folder.chunks()) and (chunks.inventory.count, chunks.inventory.space.used) == (0, 0)
        for table in (CHUNK_TABLE, SEAL_TABLE, REFERENCE_TABLE, INDEX_TABLE, SUM_TABLE, "fault", ORIGIN_TABLE):
            assert await _rows(store, table) == [], table


async def _rows(store: DurableStore, table: str) -> list[tuple[bytes, bytes]]:
    return await store.read(lambda: list(store.scan(table)))


def on_three(
    act: Act,
    kept: dict[bytes, set[bytes]],
    after: dict[bytes, set[bytes] | None],
    before: Callable[[Path], Awaitable[None]] = three,
    aside: int = 0,
    now_ms: int = NOW_MS,
) -> Operation:
    """An operation on the node with three chunks: `kept` is so wherever it is cut, `after` once it is acknowledged, or
    done again."""

    async def cut(folder: Path, steps: Steps) -> None:
        async with node(folder, now_ms) as (store, chunks):
            for number in range(WORTH_COMMITS + 1):
                # So that the store has a commit log, as that of a node that runs.
                await store.write([("warm", b"", bytes([number]))])
            steps.begin()
            await act(store, chunks)
            steps.acknowledge()

    async def judge(folder: Path, acknowledged: bool) -> None:
        async with node(folder, now_ms) as (store, chunks):
            for data, sessions in kept.items():
                known = await store.read(chunks.rows.known, chunk_id(data))
                assert known is not None and sessions <= set(known.sessions)
                await wants(store, chunks, data, set(known.sessions))
            if acknowledged:
                for data, found in after.items():
                    await wants(store, chunks, data, found)
            await act(store, chunks)
            for data, found in after.items():
                await wants(store, chunks, data, found)
        await clean(folder, aside)

    return Operation(before, cut, judge)


def stored(data: bytes, session: bytes | None) -> Operation:
    """A chunk comes."""
    kept = {A: {FIRST}, B: {FIRST, SECOND}, C: set[bytes]()}
    sessions = kept.get(data, set()) | ({session} if session else set())

    async def act(store: DurableStore, chunks: Chunks) -> None:
        await put(chunks, data, session)
        if session is None:
            await store.write([(ORIGIN_TABLE, chunk_id(data), PEER)])

    return on_three(act, kept, {data: sessions})


async def released(folder: Path) -> None:
    """The first session let go of A."""
    await three(folder)
    async with node(folder) as (_, chunks):
        await chunks.release(chunk_id(A), FIRST)


async def rotten(folder: Path, noted: bool) -> None:
    """A's file is not its own; that was found, or not yet."""
    await three(folder)
    async with node(folder) as (_, chunks):
        path = chunks.folder.place(chunk_id(A))
        path.write_bytes(b"rot" + A[3:])
        if noted:
            await chunks.inspection.check(chunk_id(A))


async def gone(folder: Path) -> None:
    """A's file is not there."""
    await three(folder)
    (folder / "chunks" / chunk_id(A).hex()[:2] / chunk_id(A).hex()).unlink()


async def unknown(folder: Path) -> None:
    """There is a file that no row knows, as a crash leaves one, and one with a wrong name."""
    await three(folder)
    for data, found in ((NEW, NEW), (LARGE, LARGE[:-1])):
        path = folder / "chunks" / chunk_id(data).hex()[:2] / chunk_id(data).hex()
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(found)


async def found_of(chunks: Chunks) -> Finding:
    """What A is found to be."""
    found = await chunks.inspection.check(chunk_id(A))
    assert found is not None
    return found[0]


def found_out(before: Callable[[Path], Awaitable[None]], finding: Finding) -> Operation:
    """Damage is found, noted and set aside; the row stays, so that it is repaired."""

    async def cut(folder: Path, steps: Steps) -> None:
        async with node(folder) as (_, chunks):
            steps.begin()
            assert await found_of(chunks) is finding
            steps.acknowledge()

    async def judge(folder: Path, acknowledged: bool) -> None:
        async with node(folder) as (store, chunks):
            if acknowledged:
                fault = await store.read(chunks.faults.of, chunk_id(A))
                assert fault is not None and fault.finding == finding
            # Cut between the two, it is missing in place of corrupted: it is repaired all the same.
            assert await found_of(chunks) is not Finding.SOUND
            assert await store.read(chunks.faults.of, chunk_id(A)) is not None
            await wants(store, chunks, B, {FIRST, SECOND})
            await put(chunks, A, None)
            await wants(store, chunks, A, {FIRST})
        await clean(folder, 1)

    return Operation(before, cut, judge)


async def _adopt(folder: Path, steps: Steps) -> None:
    steps.begin()
    async with node(folder):
        steps.acknowledge()


async def _judge_adopted(folder: Path, acknowledged: bool) -> None:
    async with node(folder) as (store, chunks):
        await wants(store, chunks, NEW, set())
        await wants(store, chunks, LARGE, None)
        await wants(store, chunks, A, {FIRST})
        assert chunks.inventory.quarantined == 1
    await clean(folder, 1)


async def _nothing(folder: Path) -> None:
    """A folder as a new node has it."""


async def _judge_begun(folder: Path, acknowledged: bool) -> None:
    async with node(folder) as (store, chunks):
        await put(chunks, A, FIRST)
        await wants(store, chunks, A, {FIRST})
    async with node(folder) as (store, chunks):
        await wants(store, chunks, A, {FIRST})
    await clean(folder)


async def _scrub(folder: Path, steps: Steps) -> None:
    async with node(folder) as (store, chunks), trio.open_nursery() as nursery:
        scrub = Scrub(chunks, store, Pace(1_000_000, 0))
        steps.begin()
        nursery.start_soon(scrub.run)
        await scrub.pause(40_000_000)
        steps.acknowledge()
        await scrub.start(0, 0)
        while scrub.status().chunks_read < 3 or scrub.status().state == "reading":
            await trio.sleep(0.01)
        await store.drained()
        nursery.cancel_scope.cancel()


async def _judge_scrubbed(folder: Path, acknowledged: bool) -> None:
    async with node(folder) as (store, chunks), trio.open_nursery() as nursery:
        scrub = Scrub(chunks, store, Pace(1_000_000, 0))
        nursery.start_soon(scrub.run)
        await scrub.start(0, 0)
        while scrub.status().run_left_percent or scrub.status().state == "reading":
            await trio.sleep(0.01)
        # Where it was cut off between setting the file aside and noting that, the file is missing.
        assert scrub.status().corrupted_found + scrub.status().missing_found >= 1
        nursery.cancel_scope.cancel()
    async with node(folder) as (store, chunks):
        await put(chunks, A, None)
        await wants(store, chunks, A, {FIRST})
    await clean(folder, 1)


async def _export(folder: Path, steps: Steps) -> None:
    with closing(LoggedStore(folder / "data.sqlite")) as store:
        steps.begin()
        export_store(store, folder / "export")
        steps.acknowledge()


async def _judge_exported(folder: Path, acknowledged: bool) -> None:
    if acknowledged or (folder / "export").exists():
        _imported(folder, folder / "export")
    (folder / "export").unlink(missing_ok=True)
    with closing(LoggedStore(folder / "data.sqlite")) as store:
        export_store(store, folder / "export")
    _imported(folder, folder / "export")
    assert not list(folder.glob(".export*")), "what was cut off stays behind"
    await clean(folder)


def _imported(folder: Path, path: Path) -> None:
    """An export gives the rows that were exported."""
    again = folder / "again.sqlite"
    with closing(LoggedStore(again)) as store:
        import_store(path, store)
        with closing(LoggedStore(folder / "data.sqlite")) as first:
            assert _all(store) == _all(first)
    for left in folder.glob("again.sqlite*"):
        left.unlink()


def _all(store: Store) -> list[tuple[str, bytes, bytes]]:
    """The rows that an export takes along."""
    return [(table, *row) for table in store.tables() if table not in ("home", "vote") for row in store.scan(table)]


async def exported(folder: Path) -> None:
    """Beside the three chunks there is an export of their rows."""
    await three(folder)
    with closing(LoggedStore(folder / "data.sqlite")) as store:
        export_store(store, folder / "export")


async def _import(folder: Path, steps: Steps) -> None:
    with closing(LoggedStore(folder / "other.sqlite")) as store:
        steps.begin()
        import_store(folder / "export", store)
        steps.acknowledge()


async def _judge_imported(folder: Path, acknowledged: bool) -> None:
    with closing(LoggedStore(folder / "data.sqlite")) as first, closing(LoggedStore(folder / "other.sqlite")) as store:
        if acknowledged:
            assert _all(store) == _all(first)
        elif _all(store) != _all(first) or store.get("import", b"unfinished") is not None:
            import_store(folder / "export", store)
        assert _all(store) == _all(first)


async def fetchable(folder: Path) -> None:
    """All chunks of a session of three files came, and none of the files is there."""
    (folder / "out").mkdir()
    index = encoded(BundleIndex(tuple(FileEntry(name, len(data)) for name, data in FETCHED.items())))
    stream = len(index).to_bytes(8, "big") + index + b"".join(FETCHED.values())
    sealed = seal(session_key(OWNER, SESSION), SESSION, 0, stream.ljust(1_000, b"\0"), True)
    chunks = [{"index": 0, "size": len(sealed), "id": chunk_id(sealed).hex()}]
    commitment = key_commitment(session_key(OWNER, SESSION), SESSION).hex()
    manifest = Notary().manifest(OWNER, session=str(SESSION), chunks=chunks, key_commitment=commitment)
    (folder / "manifest").write_bytes(manifest)
    partial_file(folder / "out", SESSION).write_bytes(sealed)


def _fetched(folder: Path) -> None:
    genesis = Notary().genesis
    manifest = check_manifest((folder / "manifest").read_bytes(), genesis.chain_id, CRYPTO).manifest
    fetch_files([], manifest, session_key(OWNER, SESSION), folder / "out")


async def _fetch(folder: Path, steps: Steps) -> None:
    steps.begin()
    _fetched(folder)
    steps.acknowledge()


async def _judge_fetched(folder: Path, acknowledged: bool) -> None:
    out = folder / "out"
    if partial_file(out, SESSION).exists():
        assert not acknowledged
        _fetched(folder)
    assert {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*") if path.is_file()} == FETCHED
    assert sorted(path.name for path in out.iterdir()) == ["a", "d"], "nothing is left beside the files"


REST = {B: {FIRST, SECOND}, C: set[bytes]()}
OPERATIONS: dict[str, Operation] = {
    "store": stored(NEW, FIRST),
    "store-large": stored(LARGE, FIRST),
    "store-known": stored(A, SECOND),
    "replicate": stored(NEW, None),
    "repair": on_three(
        lambda store, chunks: put(chunks, A, None), dict(REST), {A: {FIRST}}, partial(rotten, noted=True), aside=1
    ),
    "release-one": on_three(
        lambda store, chunks: chunks.release(chunk_id(B), FIRST), {A: {FIRST}, B: {SECOND}}, {B: {SECOND}}
    ),
    "release-last": on_three(lambda store, chunks: chunks.release(chunk_id(A), FIRST), dict(REST), {A: set()}),
    "remove-session": on_three(
        lambda store, chunks: SessionReferences(store, chunks).remove(FIRST),
        {B: {SECOND}, C: set()},
        {A: set(), B: {SECOND}},
    ),
    "collect": on_three(
        lambda store, chunks: chunks.sweeper.sweep(NOW_MS + 2 * KEPT_MS),
        dict(REST),
        {A: None},
        released,
        now_ms=NOW_MS + 2 * KEPT_MS,
    ),
    "needed": on_three(
        lambda store, chunks: chunks.needed(PEER, NAME, [chunk_id(A)]), {A: set(), **REST}, {A: set()}, released
    ),
    "quarantine": found_out(partial(rotten, noted=False), Finding.CORRUPTED),
    "missing": found_out(gone, Finding.MISSING),
    "adopt": Operation(unknown, _adopt, _judge_adopted),
    "begin": Operation(_nothing, _adopt, _judge_begun),
    "scrub": Operation(partial(rotten, noted=False), _scrub, _judge_scrubbed),
    "export": Operation(three, _export, _judge_exported),
    "fetch": Operation(fetchable, _fetch, _judge_fetched),
    "import": Operation(exported, _import, _judge_imported),
}
