"""The storage interface: tables of keys and values in bytes, read one by one or in order, written as one.

Both stores behind it pass one conformance suite (`tests/storage/test_interface.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from lucid.ledger.rowstore import Write
from lucid.machines.votelog import VOTES_TABLE

IMPORT_TABLE = "import"
"""Holds something while an import goes on; such a store opens for nothing else."""

HOME_TABLE = "home"
"""Holds the mark of the data folder that the store is used with."""

IDENTITY_TABLE = "identity"
"""Holds whose the store is."""

OWN_TABLES = (HOME_TABLE, IDENTITY_TABLE)
"""What a store has from its first opening by a service: there is nothing in it yet."""

STARTS_TABLE = "starts"
"""Counts the starts of an engine, as a file beside its store does."""

LOG_TABLE = "log"
"""Says which commit log is in front of an SQLite file, and how much of it the file holds."""

LOOKED_AT = "look"
"""A table without rows, read to see whether the store is there."""

NEVER_COPIED = (VOTES_TABLE, HOME_TABLE, STARTS_TABLE, LOG_TABLE)
"""Tables that no export and no backup takes along: they are true of one place only."""

SCHEMA_VERSION = 2
"""Raised when an older release could not read what a newer one writes; tables and rows may be added without. 1 had
sessions keyed by their ids alone, in the ledger too, so that its chain cannot be gone on with."""

LOGGED_VERSION = 3
"""An SQLite file of version 2 that lacks what its commit log holds: an older release, which knows of no log, must not
go on without it. A store that was closed has version 2."""


def other_version(place: str, version: int) -> str:
    """Why a store of another schema version is not opened, as a sentence."""
    if version > SCHEMA_VERSION:
        return f"{place} has schema version {version}; this release knows {SCHEMA_VERSION}: use a newer one"
    return (
        f"{place} holds a chain that an older release began (schema version {version}; this release has "
        f"{SCHEMA_VERSION}): begin a new chain in another folder, or run that release"
    )


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

    def write_once(self, table: str, key: bytes, value: bytes) -> bytes:
        """Make a row durable unless there is one; returns what it holds then. Of several who do so at once, all get
        the same. Raises as `write` does."""
        ...

    def hold(self, lock: Path) -> None:
        """Be the one process that uses the store, until it is closed; it may take some seconds to be sure. `lock` is a
        file in the data folder that no other process holds. Raises `StoreOther` where another one uses the store, as
        each `write` and `look` does from then on if another one should have come to."""
        ...

    def look(self) -> None:
        """See whether the store can be used, and show that it is. Raises `StoreError`."""
        ...

    def check(self) -> list[str]:
        """What is wrong with the stored data, one sentence each; nothing if all is well."""
        ...

    def close(self) -> None:
        """Let go of files and connections; twice is harmless."""
        ...

    @property
    def made(self) -> bool:
        """Whether there was no store before this opening, so that nothing is lost with it."""
        ...

    def unmake(self) -> None:
        """Close it, and remove what its opening made: for who finds that this is not the store that was meant. One that
        was there, or has come to hold something, stays."""
        ...
