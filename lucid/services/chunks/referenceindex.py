"""The index of references by session: the rows of each, and their sums, follow from the references (section 8).

References are keyed by chunk. By session there is a row for each reference, and one that has their sums, so that what
is asked of a session reads its own rows alone. Both are written with the reference, as one. An older release writes
references alone, and a store may come from one; so at each start all are compared in the background, and put right:
what is asked meanwhile waits. A crash in the middle leaves rows that the next start looks at again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import NamedTuple

import trio

from lucid.chain.codec import Record, decode, encode
from lucid.chain.errors import LucidError
from lucid.chain.fields import Natural
from lucid.chain.transactions import SESSION_ID_BYTES
from lucid.ledger.rowstore import Write
from lucid.services.chunks.inventory import Inventory
from lucid.services.chunks.reference import REFERENCE_TABLE, Reference, decode_reference
from lucid.storage.durable import DurableStore
from lucid.storage.errors import StoreDamaged, StoreError

INDEX_TABLE = "sessionchunk"
"""By session and chunk; no content."""
SUM_TABLE = "session"
"""By session."""
CHUNK_BYTES = 32
PAGE = 256
REST = 1
"""After each page it rests for so many times as long as that took."""
RETRY_S = 5.0
WAIT_S = 10.0
"""How long who asks for sessions waits until all are compared."""

_log = logging.getLogger("lucid.references")


class SessionSum(Record):
    """A session's references: how many, the bytes of their chunks, and when the newest was made (ms since the Unix
    epoch, 0 where an older release made it)."""

    chunks: Natural
    total_bytes: Natural
    since_ms: Natural


NOTHING = SessionSum(0, 0, 0)


class ComparedPage(NamedTuple):
    """A page of a table: what is to be written, where the next one begins (empty: nowhere), and how far a session is
    added up whose sum is not written yet: to which row, and to what."""

    writes: list[Write]
    start: bytes
    last: bytes | None = None
    total: SessionSum = NOTHING


class IndexChange(NamedTuple):
    """What is to be written with a reference that comes or goes, and what that adds to its session."""

    key: bytes
    writes: list[Write]
    more: SessionSum
    """Its sums are not negative: `sign` is."""
    sign: int


class ReferenceIndex:
    """The index of one store. Changes are made while `Inventory.change` is held. What reads raises `StoreError`."""

    def __init__(self, store: DurableStore, inventory: Inventory) -> None:
        self._store = store
        self._inventory = inventory
        self._level = trio.Event()
        self._at = ComparedPage([], b"")

    # -- changes ---------------------------------------------------------------------------------------------------

    def coming(self, session: bytes, chunk: bytes, size: int, since_ms: int, known: bool) -> IndexChange:
        """A reference comes, or is made anew if it is `known`. In a worker thread."""
        more = SessionSum(0, 0, since_ms) if known else SessionSum(1, size, since_ms)
        return self._changed(session, chunk, more, 1)

    def going(self, session: bytes, chunk: bytes, size: int) -> IndexChange:
        """A reference goes. The time of the newest stays as it is until the next start. In a worker thread."""
        return self._changed(session, chunk, SessionSum(1, size, 0), -1)

    def _changed(self, session: bytes, chunk: bytes, more: SessionSum, sign: int) -> IndexChange:
        name = _name(session)
        after = _added(self._sum_of(name), more, sign)
        content = b"" if sign > 0 else None
        writes: list[Write] = [(INDEX_TABLE, name + chunk, content), _sum_write(name, after)]
        return IndexChange(name + chunk, writes, more, sign)

    def written(self, change: IndexChange) -> None:
        """A change is durable: a session that is being added up has it too, if it would not come to it any more."""
        last = self._at.last
        if last is not None and _name_of(change.key) == _name_of(last) and change.key <= last:
            self._at = self._at._replace(total=_added(self._at.total, change.more, change.sign))

    # -- what is asked ---------------------------------------------------------------------------------------------

    async def level(self) -> None:
        """Wait until all is compared. Raises `StoreSlow` where that takes long, and at once what is wrong with the
        store: then it may never be."""
        await self._store.when(self._level, WAIT_S)

    def page(self, after: bytes, limit: int) -> list[tuple[bytes, SessionSum]]:
        """At most `limit` sessions in order, from the first after `after` on, with their sums. In a worker thread."""
        start = _name(after) + b"\x00" if after else b""
        return [(_session(name), _decoded(name, data)) for name, data in self._store.scan(SUM_TABLE, start, limit)]

    def sums(self, session: bytes) -> SessionSum:
        """A session's sums. In a worker thread."""
        return self._sum_of(_name(session))

    def owners(self, identity: bytes) -> list[bytes]:
        """The sessions, with their owners, of an id. In a worker thread."""
        found = []
        for name, _ in self._store.scan(SUM_TABLE, identity):
            if name[:SESSION_ID_BYTES] != identity:
                break
            found.append(_session(name))
        return found

    def chunks(self, session: bytes, after: bytes = b"") -> Iterator[bytes]:
        """The chunks that a session refers to, in order, from the first after `after` on. In a worker thread."""
        name = _name(session)
        start = name + after + b"\x00" if after else name
        for key, _ in self._store.scan(INDEX_TABLE, start):
            if key[:-CHUNK_BYTES] != name:
                break
            yield key[-CHUNK_BYTES:]

    # -- comparing -------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Compare all with the references, once."""
        while not self._level.is_set():
            try:
                for look in (self._miss_none, self._add_up, self._sum_no_more):
                    await self._walk(look)
                self._level.set()
            except StoreDamaged:
                return  # the store has logged it and says so
            except (StoreError, OSError) as error:
                _log.info("references are compared later: %s", error)
                await trio.sleep(RETRY_S)

    async def _walk(self, look: Callable[[ComparedPage], ComparedPage]) -> None:
        """Take a table page by page: no reference comes or goes within one."""
        self._at, wrong = ComparedPage([], b""), 0
        while True:
            began_s = trio.current_time()
            async with self._inventory.changing:
                step = await self._store.read_when_there(look, self._at)
                if step.writes:
                    await self._store.write(step.writes)
                self._at, wrong = step, wrong + len(step.writes)
            if not step.start:
                break
            await trio.sleep(REST * (trio.current_time() - began_s))
        if wrong:
            _log.info("%d rows of sessions were put right", wrong)

    def _miss_none(self, at: ComparedPage) -> ComparedPage:
        """Each reference has its row."""
        rows = list(self._store.scan(REFERENCE_TABLE, at.start, PAGE))
        keys = [_name(key[CHUNK_BYTES:]) + key[:CHUNK_BYTES] for key, _ in rows]
        missing = [key for key in keys if self._store.get(INDEX_TABLE, key) is None]
        return ComparedPage([(INDEX_TABLE, key, b"") for key in missing], _next(rows))

    def _add_up(self, at: ComparedPage) -> ComparedPage:
        """Each row has its reference, and each session's sum is that of its rows."""
        rows = list(self._store.scan(INDEX_TABLE, at.start, PAGE))
        writes, last, total = list[Write](), at.last, at.total
        for key, _ in rows:
            reference = self._reference(key)
            if reference is None:
                writes.append((INDEX_TABLE, key, None))
                continue
            if last is not None and _name_of(key) != _name_of(last):
                writes += self._settled(last, total)
                total = NOTHING
            last, row = key, self._inventory.rows.row(key[-CHUNK_BYTES:])
            total = _added(total, SessionSum(1, 0 if row is None else row.size, reference.since_ms), 1)
        start = _next(rows)
        if start or last is None:
            return ComparedPage(writes, start, last, total)
        return ComparedPage(writes + self._settled(last, total), start)

    def _settled(self, key: bytes, total: SessionSum) -> list[Write]:
        name = _name_of(key)
        return [] if self._sum_of(name) == total else [_sum_write(name, total)]

    def _sum_no_more(self, at: ComparedPage) -> ComparedPage:
        """Each sum has a session that refers to something."""
        rows = list(self._store.scan(SUM_TABLE, at.start, PAGE))
        empty = [name for name, _ in rows if next(self.chunks(_session(name)), None) is None]
        return ComparedPage([(SUM_TABLE, name, None) for name in empty], _next(rows))

    def _reference(self, key: bytes) -> Reference | None:
        chunk = key[-CHUNK_BYTES:]
        data = self._store.get(REFERENCE_TABLE, chunk + _session(_name_of(key)))
        return None if data is None else decode_reference(chunk, data)

    def _sum_of(self, name: bytes) -> SessionSum:
        data = self._store.get(SUM_TABLE, name)
        return NOTHING if data is None else _decoded(name, data)


def _added(before: SessionSum, more: SessionSum, sign: int) -> SessionSum:
    """What was wrong before all was compared does not become negative."""
    chunks, total_bytes = before.chunks + sign * more.chunks, before.total_bytes + sign * more.total_bytes
    return SessionSum(max(0, chunks), max(0, total_bytes), max(before.since_ms, more.since_ms))


def _sum_write(name: bytes, found: SessionSum) -> Write:
    return SUM_TABLE, name, encode(found) if found.chunks else None


def _decoded(name: bytes, data: bytes) -> SessionSum:
    try:
        return decode(data, SessionSum)
    except LucidError as error:
        raise StoreDamaged(f"a row cannot be read: {error}", SUM_TABLE, name) from None


def _next(rows: list[tuple[bytes, bytes]]) -> bytes:
    """Where the page after this one begins; empty if this is the last."""
    return rows[-1][0] + b"\x00" if len(rows) == PAGE else b""


def _name(session: bytes) -> bytes:
    """A session's key: its id, whether there is an owner, and the owner. So the rows of each stand together."""
    owner = session[SESSION_ID_BYTES:]
    return session[:SESSION_ID_BYTES] + (b"\x01" + owner if owner else b"\x00")


def _session(name: bytes) -> bytes:
    return name[:SESSION_ID_BYTES] + name[SESSION_ID_BYTES + 1 :]


def _name_of(key: bytes) -> bytes:
    return key[:-CHUNK_BYTES]
