"""The chunks of anchored sessions, in order: by these a node says which of them it holds (protocol section 8)."""

from __future__ import annotations

from collections.abc import Sequence

from lucid.ledger.rowstore import Write
from lucid.machines.replicamessages import MAX_IDS, SESSION_BYTES
from lucid.storage.durable import DurableStore

LISTING_TABLE = "listing"
"""By session (id and owner) and page (4 bytes): up to `MAX_IDS` chunk ids."""
CHUNK_BYTES = 32
PAGE_BYTES = 4


class StoredLists:
    """The lists of one store. All of it runs in worker threads."""

    def __init__(self, store: DurableStore) -> None:
        self._store = store

    def known(self, session: bytes) -> bool:
        """Whether a session's list is here."""
        return self._store.get(LISTING_TABLE, session + bytes(PAGE_BYTES)) is not None

    def owners(self, session: bytes) -> list[bytes]:
        """The sessions, with their owners, of that id whose lists are here."""
        found: list[bytes] = []
        while True:
            beyond = found[-1] + b"\xff" * (PAGE_BYTES + 1) if found else session
            row = next(iter(self._store.scan(LISTING_TABLE, beyond, 1)), None)
            if row is None or not row[0].startswith(session):
                return found
            found.append(row[0][:SESSION_BYTES])

    def ids(self, session: bytes) -> list[bytes]:
        """The chunks of a session, in order; none if its list is not here."""
        found: list[bytes] = []
        for key, value in self._store.scan(LISTING_TABLE, session):
            if key[:SESSION_BYTES] != session:
                break
            found += [value[at : at + CHUNK_BYTES] for at in range(0, len(value), CHUNK_BYTES)]
        return found

    def page(self, session: bytes, first: int) -> list[bytes]:
        """The chunks of a session from a number on, as many as one message takes."""
        number, skipped = divmod(first, MAX_IDS)
        if number >= 1 << 8 * PAGE_BYTES:
            return []
        value = self._store.get(LISTING_TABLE, _key(session, number)) or b""
        return [value[at : at + CHUNK_BYTES] for at in range(CHUNK_BYTES * skipped, len(value), CHUNK_BYTES)]

    def sessions(self, after: bytes, limit: int) -> list[bytes]:
        """At most `limit` sessions in order, from the first after `after` on."""
        found: list[bytes] = []
        start = after
        while len(found) < limit:
            # Past every page of the session before.
            beyond = start + b"\xff" * (PAGE_BYTES + 1) if start else b""
            row = next(iter(self._store.scan(LISTING_TABLE, beyond, 1)), None)
            if row is None:
                break
            start = row[0][:SESSION_BYTES]
            found.append(start)
        return found


def kept(session: bytes, ids: Sequence[bytes]) -> list[Write]:
    """What stores a session's list."""
    pages = range(0, len(ids), MAX_IDS)
    return [
        (LISTING_TABLE, _key(session, number), b"".join(ids[first : first + MAX_IDS]))
        for number, first in enumerate(pages)
    ]


def dropped(session: bytes, chunks: int) -> list[Write]:
    """What removes the list of a session of so many chunks."""
    return [(LISTING_TABLE, _key(session, number), None) for number in range(-(-chunks // MAX_IDS))]


def _key(session: bytes, page: int) -> bytes:
    return session + page.to_bytes(PAGE_BYTES, "big")
