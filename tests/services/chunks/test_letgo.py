"""What was removed, and for how long that is remembered."""

from __future__ import annotations

from lucid.services.chunks.letgo import GONE_MS, GONE_TABLE, LetGo
from lucid.storage.durable import DurableStore
from lucid.storage.sqlite import SqliteStore

CHUNKS = [bytes(32), bytes(31) + b"\x01", b"\xff" * 32]
ABSENT = b"?" * 32
NOW_MS = 1_800_000_000_000


def test_what_went_is_remembered_for_so_long(store: SqliteStore) -> None:
    let_go = LetGo(DurableStore(store))
    for chunk, at_ms in zip(CHUNKS, (NOW_MS, NOW_MS + 1, NOW_MS + 2), strict=True):
        store.write([(GONE_TABLE, chunk, at_ms.to_bytes(8, "big"))])
    assert all(let_go.gone(chunk) for chunk in CHUNKS) and not let_go.gone(ABSENT)
    assert let_go.forgotten(NOW_MS + GONE_MS - 1) == []
    store.write(let_go.forgotten(NOW_MS + GONE_MS + 1))
    assert [let_go.gone(chunk) for chunk in CHUNKS] == [False, False, True]
