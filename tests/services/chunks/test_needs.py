"""Who needs a chunk, by what each said last."""

from __future__ import annotations

import pytest

from lucid.chain.codec import encode
from lucid.services.chunks.needs import NEED_TABLE, Needs
from lucid.storage.chunkrow import CHUNK_TABLE, ChunkRow
from lucid.storage.durable import DurableStore
from lucid.storage.sqlite import SqliteStore

CHUNKS = [bytes(32), bytes(31) + b"\x01", b"\xff" * 32]
NODES = [bytes(32), b"n" * 32, b"\xff" * 32]
STORE, OTHER_STORE = b"s" * 16, b"t" * 16
ABSENT = b"?" * 32
NOW_MS = 1_800_000_000_000


@pytest.fixture
def needs(store: SqliteStore) -> Needs:
    """Of a store with some chunks that nobody needs yet."""
    store.write([(CHUNK_TABLE, chunk, encode(ChunkRow(size=1_024, unused_since_ms=0))) for chunk in CHUNKS])
    return Needs(DurableStore(store))


def test_what_a_node_says_is_noted_of_chunks_that_are_here(store: SqliteStore, needs: Needs) -> None:
    assert all(needs.of(chunk) == {} for chunk in CHUNKS)
    for node, chunks in zip(NODES, (CHUNKS, CHUNKS[1:], [ABSENT, CHUNKS[2]]), strict=True):
        store.write(needs.said(node, STORE, chunks, NOW_MS))
    assert needs.of(CHUNKS[0]) == {NODES[0]: STORE}
    assert needs.of(CHUNKS[1]) == dict.fromkeys(NODES[:2], STORE)
    assert needs.of(CHUNKS[2]) == dict.fromkeys(NODES, STORE)
    assert needs.of(ABSENT) == {} and len(list(store.scan(NEED_TABLE))) == 6
    store.write(needs.said(NODES[0], OTHER_STORE, CHUNKS[:1], NOW_MS + 1))
    assert needs.of(CHUNKS[0]) == {NODES[0]: OTHER_STORE}, "it counts from the store that said so last"


@pytest.mark.parametrize("limit", [1, 2, 3, 8, 9])
def test_what_was_said_long_ago_is_found_page_by_page(store: SqliteStore, needs: Needs, limit: int) -> None:
    for number, node in enumerate(NODES):
        store.write(needs.said(node, STORE, CHUNKS, NOW_MS + number))
    found, after, pages = list[bytes](), b"", 0
    while pages == 0 or after:
        old, after = needs.old(after, limit, NOW_MS + 2)
        found += old
        pages += 1
        assert pages <= 10
    assert found == sorted(chunk + node for chunk in CHUNKS for node in NODES[:2])
    assert needs.old(b"", 9, NOW_MS)[0] == [], "what was said at that very time is not before it"
