"""The store on MongoDB, for production: a transaction a write, acknowledged by a majority's journals.

It needs a replica set (of one node at least), because only those have transactions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from pymongo import ASCENDING, DESCENDING, DeleteOne, MongoClient, ReplaceOne
from pymongo.client_session import ClientSession
from pymongo.errors import ConnectionFailure, DuplicateKeyError, OperationFailure, PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from lucid.ledger.rowstore import Write
from lucid.storage.errors import StoreDamaged, StoreError, StoreFull, StoreOther
from lucid.storage.interface import LOOKED_AT, SCHEMA_VERSION, other_version
from lucid.storage.lease import LEASE_COLLECTION, Lease, place_of

TIMEOUT_MS = 5_000
SCHEMA_COLLECTION = "schema"
ENTRIES_COLLECTION = "entries"
SESSION_ID = "session"
"""Beside the schema: the session of MongoDB's that was last written in."""
CONCERN = WriteConcern(w="majority", j=True)
"""Named with each transaction too: one does not inherit it from a collection, and MongoDB 4.4 takes less by default."""
EXISTS = 48
"""MongoDB's error code NamespaceExists."""
OUT_OF_DISK = 14_031
"""MongoDB's error code OutOfDiskSpace."""

DAMAGE = ("DataCorruptionDetected", "InvalidBSON")
"""MongoDB's names of the errors that data give which cannot be read."""


class MongoStore:
    """See `Store`. All tables are one collection: `_id` is the table's name, a slash and the key in hexadecimal.

    Text, because MongoDB orders binary values by their length first.
    """

    def __init__(self, url: str, database: str, password: str = "") -> None:
        """Connect to `database` of the deployment at `url`, as the user whom it names, if any.

        Raises `StoreError` when it cannot be reached or used.
        """
        self.place = f"database {database}"
        self._session: ClientSession | None = None
        with self._translated():
            try:
                self._client: MongoClient[dict[str, Any]] = MongoClient(
                    url,
                    password=password or None,
                    timeoutMS=TIMEOUT_MS,
                    serverSelectionTimeoutMS=TIMEOUT_MS,
                    appname="lucid",
                )
            except ValueError as error:  # a port that cannot be one, say: the driver has no error of its own for it
                raise StoreError(f"{self.place}: {error}") from None
            self._database = self._client.get_database(
                database, write_concern=CONCERN, read_concern=ReadConcern("majority")
            )
            self._entries = self._database[ENTRIES_COLLECTION]
            self._lease = Lease(self._database[LEASE_COLLECTION])
            try:
                self._prepare()
            except BaseException:
                self._client.close()
                raise

    def _prepare(self) -> None:
        hello = self._client.admin.command("hello")
        if "setName" not in hello:
            raise StoreError(f"{self.place}: MongoDB must run as a replica set, of one node at least")
        names = self._database.list_collection_names()
        self.made = not names
        if names and SCHEMA_COLLECTION not in names:
            raise StoreOther(f"{self.place} is that of another program")
        schema = self._database[SCHEMA_COLLECTION]
        schema.update_one({"_id": "schema"}, {"$setOnInsert": {"version": SCHEMA_VERSION}}, upsert=True)
        found = schema.find_one({"_id": "schema"})
        version = None if found is None else found.get("version")
        if version != SCHEMA_VERSION:
            raise StoreOther(other_version(self.place, version if isinstance(version, int) else 0))
        # A process that was killed may have left a transaction, which would hold what it wrote for a minute.
        former = schema.find_one({"_id": SESSION_ID})
        if former is not None:
            self._client.admin.command("killSessions", [{"id": former["session"]}])
        if ENTRIES_COLLECTION not in names:
            try:
                self._database.create_collection(ENTRIES_COLLECTION, check_exists=False)
            except OperationFailure as error:
                if error.code != EXISTS:  # another process may have made it at this moment
                    raise

    def get(self, table: str, key: bytes) -> bytes | None:
        """See `Store`."""
        with self._translated(table, key):
            found = self._entries.find_one({"_id": _identity(table, key)})
            return None if found is None else _value(found, table, key)

    def scan(
        self, table: str, start: bytes = b"", limit: int | None = None, reverse: bool = False
    ) -> Iterator[tuple[bytes, bytes]]:
        """See `Store`."""
        if limit is not None and limit <= 0:
            return
        low, high = _identity(table, b""), f"{table}0"  # the character after the slash
        if reverse and start:
            high = _identity(table, start)
        elif not reverse:
            low = _identity(table, start)
        with self._translated(table, start):
            order = DESCENDING if reverse else ASCENDING
            for found in self._entries.find(
                {"_id": {"$gte": low, "$lt": high}}, sort=[("_id", order)], limit=limit or 0
            ):
                key = bytes.fromhex(found["_id"][len(table) + 1 :])
                yield key, _value(found, table, key)

    def tables(self) -> list[str]:
        """See `Store`. From one table to the next over the index: a look at every entry would take too long."""
        found: list[str] = []
        low = ""
        with self._translated():
            while entry := self._entries.find_one({"_id": {"$gte": low}}, {"table": 1}, sort=[("_id", ASCENDING)]):
                found.append(entry["table"])
                low = f"{entry['table']}0"  # the character after the slash
        return sorted(found)

    def write(self, writes: Sequence[Write]) -> None:
        """See `Store`."""
        last = {_identity(table, key): (table, value) for table, key, value in writes}
        if not last:
            return
        operations: list[DeleteOne | ReplaceOne[dict[str, Any]]] = [
            DeleteOne({"_id": identity})
            if value is None
            else ReplaceOne(
                {"_id": identity},
                {"_id": identity, "table": table, "value": value},
                upsert=True,
            )
            for identity, (table, value) in last.items()
        ]
        # One attempt: `with_transaction` would retry for two minutes in silence. To write the same again is harmless.
        # Always in the same session: there a transaction ends the one before, which may have been given up by us alone
        # and would hold what it wrote for a minute.
        with self._translated():
            session = self._session or self._begin_session()
            with session.start_transaction(read_concern=ReadConcern("snapshot"), write_concern=CONCERN):
                self._lease.check(session)
                self._entries.bulk_write(operations, ordered=False, session=session)

    def _begin_session(self) -> ClientSession:
        """A session for all writes, known to whoever opens the store after this process."""
        session = self._client.start_session()
        held = {"_id": SESSION_ID, "session": session.session_id["id"]}
        self._database[SCHEMA_COLLECTION].replace_one({"_id": SESSION_ID}, held, upsert=True)
        self._session = session
        return session

    def write_once(self, table: str, key: bytes, value: bytes) -> bytes:
        """See `Store`."""
        identity = _identity(table, key)
        with self._translated(), suppress(DuplicateKeyError):
            self._entries.insert_one({"_id": identity, "table": table, "value": value})
        held = self.get(table, key)
        assert held is not None
        return held

    def hold(self, lock: Path) -> None:
        """See `Store`."""
        with self._translated():
            self._lease.take(place_of(lock))

    def look(self) -> None:
        """See `Store`."""
        self.get(LOOKED_AT, b"")
        with self._translated():
            self._lease.renew()

    def check(self) -> list[str]:
        """See `Store`."""
        with self._translated():
            result = self._database.validate_collection(ENTRIES_COLLECTION)
        return [] if result.get("valid") else [f"{self.place}: {result.get('errors')}"]

    def close(self) -> None:
        """See `Store`."""
        self._lease.release()
        self._client.close()

    def unmake(self) -> None:
        """See `Store`."""
        with suppress(StoreError), self._translated():
            if self.made and self._entries.find_one() is None:
                for name in self._database.list_collection_names():
                    self._database.drop_collection(name)
        self.close()

    @contextmanager
    def _translated(self, table: str = "", key: bytes = b"") -> Iterator[None]:
        """MongoDB's errors as ours; `table` and `key` say what was asked for."""
        try:
            yield
        except OperationFailure as error:
            if (error.details or {}).get("codeName") in DAMAGE:
                raise StoreDamaged(f"{self.place}: {error}", table, key) from None
            if error.code == OUT_OF_DISK or "No space left" in str(error):
                raise StoreFull(f"{self.place}: {error}") from None
            raise StoreError(f"{self.place}: {error}") from None
        except ConnectionFailure as error:
            raise StoreError(f"{self.place} cannot be reached: {in_short(error)}") from None
        except PyMongoError as error:
            raise StoreError(f"{self.place}: {error}") from None


def in_short(error: PyMongoError) -> str:
    """What keeps a server from being reached, without the driver's own figures and the list of all servers after it."""
    return str(error).partition(" (configured timeouts: ")[0].partition(", Timeout: ")[0]


def _value(found: dict[str, Any], table: str, key: bytes) -> bytes:
    value = found.get("value")
    if not isinstance(value, bytes):
        raise StoreDamaged("an entry has no value", table, key)
    return value


def _identity(table: str, key: bytes) -> str:
    return f"{table}/{key.hex()}"
