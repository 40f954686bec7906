"""A node's own store as the pure rooms see it: what is read and written, and what is said of a row that is lost."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from lucid.chain.errors import Code, LucidError

Write = tuple[str, bytes, bytes | None]
"""A table, a key and the bytes to store there, or None to delete."""


class RowLost(LucidError):
    """A row that another one points to is not there, or is not the one that was put there: the store is damaged, though
    each row that it has can be read."""

    def __init__(self, table: str, key: bytes, found: str = "no row") -> None:
        super().__init__(Code.STORE_DAMAGED, f"{found} in the table {table} at the key {key.hex()}")
        self.table = table
        self.key = key


class Reader(Protocol):
    """Synchronous reads of a node's own store; a read sees every write returned before it."""

    def get(self, table: str, key: bytes) -> bytes | None:
        """The stored bytes, or None."""

    def scan(self, table: str, start: bytes = b"") -> Iterable[tuple[bytes, bytes]]:
        """Every (key, value) of a table from the key `start` on, in ascending order of keys."""
