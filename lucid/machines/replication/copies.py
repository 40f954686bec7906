"""What other nodes said that they hold: rows of chunk and node, which count as long as the node's store is the same."""

from __future__ import annotations

from lucid.ledger.rowstore import Reader, Write
from lucid.machines.replicamessages import ChunkHolding
from lucid.machines.replication.shelf import ChunkShelf

COPY_TABLE = "copy"
"""By chunk and node, 32 bytes each: when it last said that it holds the chunk (ms since the Unix epoch, 8 bytes), and
the name of its store."""
STORE_NAME_TABLE = "storename"
"""By node: the name of its store; of this one under the empty key."""
# Of a row: the name of a store (section 8, Copies), a time in milliseconds, and the chunk's id in the key.
NAME_BYTES = 16
STAMP_BYTES = 8
ID_BYTES = 32


class Copies:
    """The copies at other nodes."""

    def __init__(self, store: Reader, shelf: ChunkShelf) -> None:
        self._store = store
        self._shelf = shelf
        self._names: dict[bytes, bytes | None] = {}

    def at(self, chunk: bytes, node: bytes) -> int:
        """When a node last said that it holds a chunk, 0: never, or no more. Raises `StoreError`."""
        value = self._store.get(COPY_TABLE, chunk + node)
        # Said of another store, it counts no more: the card that it was on may be lost (section 8, Copies).
        if value is None or value[STAMP_BYTES:] != self._name_of(node):
            return 0
        return int.from_bytes(value[:STAMP_BYTES], "big")

    def between(self, first: bytes, last: bytes) -> dict[bytes, int]:
        """The same of all chunks from the first one to the last one, by chunk and node: one look into the store where
        `at` would be one for each. Raises `StoreError`."""
        found = {}
        for key, value in self._store.scan(COPY_TABLE, first):
            chunk, node = key[:ID_BYTES], key[ID_BYTES:]
            if chunk > last:
                break
            if value[STAMP_BYTES:] == self._name_of(node):
                found[key] = int.from_bytes(value[:STAMP_BYTES], "big")
        return found

    def said(self, node: bytes, said: ChunkHolding, now_ms: int) -> tuple[list[Write], bool]:
        """What is to be written when a node says what it holds, and whether its store is another than before."""
        before = self._name_of(node)
        value = now_ms.to_bytes(STAMP_BYTES, "big") + said.store
        # Of chunks that are kept here alone: else anybody could fill this store with rows of ids made up.
        writes: list[Write] = [(COPY_TABLE, chunk + node, value) for chunk in said.has if self._shelf.kept(chunk)]
        writes += [(COPY_TABLE, chunk + node, None) for chunk in said.lacks]
        if before != said.store:
            writes.append((STORE_NAME_TABLE, node, said.store))
            self._names[node] = said.store
        return writes, before is not None and before != said.store

    def _name_of(self, node: bytes) -> bytes | None:
        if node not in self._names:
            self._names[node] = self._store.get(STORE_NAME_TABLE, node)
        return self._names[node]
