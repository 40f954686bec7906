"""What other nodes said that they hold: rows of chunk and node, which count as long as the node's store is the same."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from lucid.ledger.state import Write
from lucid.storage.chunkfiles import CHUNK_TABLE
from lucid.storage.durable import DurableStore

COPY_TABLE = "copy"
"""By chunk and node, 32 bytes each: when it last said that it holds the chunk (ms since the Unix epoch, 8 bytes), and
the name of its store."""
STORE_NAME_TABLE = "storename"
"""By node: the name of its store; of this one under the empty key."""
NAME_BYTES = 16
STAMP_BYTES = 8


class Copies:
    """The copies at other nodes. All of it runs in worker threads."""

    def __init__(self, store: DurableStore) -> None:
        self._store = store
        self._names: dict[bytes, bytes | None] = {}

    def own_name(self) -> bytes | None:
        """The name of this store, if it has one yet."""
        return self._store.get(STORE_NAME_TABLE, b"")

    def at(self, chunk: bytes, node: bytes) -> int:
        """When a node last said that it holds a chunk, 0: never, or no more. Raises `StoreError`."""
        value = self._store.get(COPY_TABLE, chunk + node)
        if value is None or value[STAMP_BYTES:] != self._name_of(node):
            return 0
        return int.from_bytes(value[:STAMP_BYTES], "big")

    def said(
        self, node: bytes, name: bytes, has: Iterable[bytes], lacks: Iterable[bytes], now_ms: int
    ) -> tuple[list[Write], bool]:
        """What is to be written when a node says what it holds, and whether its store is another than before."""
        before = self._name_of(node)
        value = now_ms.to_bytes(STAMP_BYTES, "big") + name
        known = [chunk for chunk in has if self._store.get(CHUNK_TABLE, chunk) is not None]
        writes: list[Write] = [(COPY_TABLE, chunk + node, value) for chunk in known]
        writes += [(COPY_TABLE, chunk + node, None) for chunk in lacks]
        if before != name:
            writes.append((STORE_NAME_TABLE, node, name))
            self._names[node] = name
        return writes, before is not None and before != name

    def _name_of(self, node: bytes) -> bytes | None:
        if node not in self._names:
            self._names[node] = self._store.get(STORE_NAME_TABLE, node)
        return self._names[node]


def new_name() -> bytes:
    """The name of a store that is begun."""
    return secrets.token_bytes(NAME_BYTES)
