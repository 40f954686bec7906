"""The storage interface: tables of keys and values in bytes, read one by one or in order, written as one.

Both stores behind it pass one conformance suite (`tests/storage/test_stores.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from lucid.chain.errors import Code, LucidError
from lucid.ledger.state import Write

IMPORT_TABLE = "import"
"""Holds something while an import goes on; such a store opens for nothing else."""

SCHEMA_VERSION = 1


class StoreError(LucidError):
    """The store can't do what it must; `code` tells why."""

    def __init__(self, detail: str, code: Code = Code.STORE_FAILED) -> None:
        super().__init__(code, detail)


class StoreFull(StoreError):
    """There is no room for a write; nothing of it was written, and it may be tried again."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail, Code.STORE_FULL)


class Store(Protocol):
    """A node's own store. Reads may come from any thread; one thread at a time writes."""

    def get(self, table: str, key: bytes) -> bytes | None:
        """The bytes as last written, or None. Raises `StoreError`."""
        ...

    def scan(
        self, table: str, start: bytes = b"", limit: int | None = None, reverse: bool = False
    ) -> Iterator[tuple[bytes, bytes]]:
        """Up to `limit` rows from `start` on, ascending; with `reverse` descending, from the last below `start` (if
        given) on. What is written while the caller iterates may or may not be seen."""
        ...

    def tables(self) -> list[str]:
        """Names of the tables that hold something, in order."""
        ...

    def write(self, writes: Sequence[Write]) -> None:
        """Make all writes durable, in order and as one; None deletes. Raises `StoreFull` or `StoreError`, and has
        then written nothing."""
        ...

    def check(self) -> list[str]:
        """What is wrong with the stored data, one sentence each; nothing if all is well."""
        ...

    def close(self) -> None:
        """Let go of files and connections; twice is harmless."""
        ...
