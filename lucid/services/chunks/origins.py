"""From which node each chunk came that this one fetched: what it signs receipts for (protocol section 5, Relay)."""

from __future__ import annotations

from collections.abc import Iterable

from lucid.ledger.rowstore import Write
from lucid.storage.durable import DurableStore

ORIGIN_TABLE = "origin"
"""By chunk: the node that gave its last part. It goes with the chunk, and once a copy has its receipt."""


class Origins:
    """Those of one store."""

    def __init__(self, store: DurableStore) -> None:
        self._store = store
        self._under_way: dict[int, bytes] = {}
        self._givers: dict[bytes, bytes] = {}

    def begin(self, fetch: int, chunk: bytes) -> None:
        """A chunk is fetched."""
        self._under_way[fetch] = chunk

    def came(self, chunk: bytes, peer: bytes) -> None:
        """A part of a chunk came, which may not be one that is fetched."""
        if chunk in self._under_way.values():
            self._givers[chunk] = peer

    async def end(self, fetch: int, kept: bool) -> None:
        """It is here, verified and durable, or it is not. Raises `StoreError`."""
        chunk = self._under_way.pop(fetch, None)
        giver = None if chunk is None else self._givers.pop(chunk, None)
        if kept and chunk is not None and giver is not None:
            await self._store.write([(ORIGIN_TABLE, chunk, giver)])

    def count(self, chunks: Iterable[bytes], node: bytes) -> int:
        """How many of these chunks came from a node; from a worker thread."""
        return sum(self._store.get(ORIGIN_TABLE, chunk) == node for chunk in chunks)


def forgotten(chunks: Iterable[bytes]) -> list[Write]:
    """What forgets where chunks came from."""
    return [(ORIGIN_TABLE, chunk, None) for chunk in chunks]
