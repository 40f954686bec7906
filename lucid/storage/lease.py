"""Who uses a database: one process at a time, though a copied data folder and its original look the same to it.

The lease is a document that the process which holds it changes with everything that it writes, and every few seconds
where it writes nothing. Whoever begins takes it over at once if it is free, or if it was held from the very same folder
(which is locked, so that process is gone); else it waits until it has seen that it no longer changes. Each write checks
the lease in its own transaction: a process that lost it, while it was paused or cut off, writes nothing more.
"""

from __future__ import annotations

import os
import platform
import secrets
import time
from pathlib import Path
from typing import Any

import pymongo
from pymongo import WriteConcern
from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError, PyMongoError

from lucid.storage.errors import StoreOther

LEASE_COLLECTION = "lease"
LEASE_ID = "lease"
LEASE_S = 20.0
"""How long a lease must not change before another may have it: four of its holder's looks at the store."""
LOOK_S = 0.5
FREE = ""
CLOSE_S = 0.5
"""How long a process that stops tries to say so."""
RUNS = (
    "another process uses it, with a copy of this data folder or from another machine: stop that one, or give this one "
    "a database of its own"
)
LOST = "another process has taken it over, with a copy of this data folder or from another machine: only one may run"

Document = dict[str, Any]


class Lease:
    """The lease of one database, held or not."""

    def __init__(self, collection: Collection[Document]) -> None:
        self._collection = collection
        # A beat that is lost with its server's last moments does no harm, and one that waits for the disk wears it.
        self._beats = collection.with_options(write_concern=WriteConcern(w=1))
        self._run = FREE

    def take(self, place: str) -> None:
        """Come to hold it from a locked folder. Raises `StoreOther` if another process does, and MongoDB's errors."""
        seen: Document | None = None
        since_s = time.monotonic()
        while True:
            found = self._collection.find_one({"_id": LEASE_ID})
            if found is None or found["run"] == FREE or found["place"] == place or time.monotonic() - since_s > LEASE_S:
                if self._replace(found, place):
                    return
                seen = None
            elif seen is not None and seen != found:
                raise StoreOther(RUNS)
            else:
                seen = found
            time.sleep(LOOK_S)

    def _replace(self, found: Document | None, place: str) -> bool:
        """Take it from whoever held it, unless it has changed since it was `found`."""
        run = secrets.token_hex(16)
        mine = {"_id": LEASE_ID, "place": place, "run": run, "beat": 0}
        try:
            if found is None:
                self._collection.insert_one(mine)
            elif not self._collection.replace_one(found, mine).matched_count:
                return False
        except DuplicateKeyError:
            return False
        self._run = run
        return True

    def check(self, session: ClientSession) -> None:
        """Within a transaction: have it fail unless the lease is still this process's. Raises `StoreOther`."""
        if self._run != FREE and not self._beat(self._collection, session):
            raise StoreOther(LOST)

    def renew(self) -> None:
        """Show that this process is there. Raises `StoreOther` if another one has the lease."""
        if self._run != FREE and not self._beat(self._beats, None):
            raise StoreOther(LOST)

    def _beat(self, collection: Collection[Document], session: ClientSession | None) -> bool:
        mine = {"_id": LEASE_ID, "run": self._run}
        return bool(collection.update_one(mine, {"$inc": {"beat": 1}}, session=session).matched_count)

    def release(self) -> None:
        """Let it go, as far as the database answers."""
        run, self._run = self._run, FREE
        if run == FREE:
            return
        try:
            with pymongo.timeout(CLOSE_S):
                self._collection.update_one({"_id": LEASE_ID, "run": run}, {"$set": {"run": FREE}})
        except PyMongoError:
            pass  # it expires


def place_of(lock: Path) -> str:
    """What names a locked file as long as this machine runs, and no copy of it."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        boot = platform.node()
    status = os.stat(lock)
    return f"{boot}/{status.st_dev}/{status.st_ino}"
