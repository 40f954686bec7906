"""The sessions that this node took: which one a request names, where each is, what proves it."""

from __future__ import annotations

import uuid
from itertools import islice

import msgspec
import trio
from msgspec.structs import replace

from lucid.api.answers import SessionState, SessionsWaiting
from lucid.chain.errors import Code
from lucid.chain.receipts import with_manifest
from lucid.chain.transactions import SESSION_ID_BYTES
from lucid.machines.anchoring import SESSION_TABLE, Anchoring, SessionRow, Status
from lucid.services.chain.sessionsview import MAX_OWNERS
from lucid.services.process.driver import Driver
from lucid.services.sessions.anchored import AnchoredSessions
from lucid.services.web.problems import Problem
from lucid.services.web.requested import session_id
from lucid.storage.durable import DurableStore

MAX_SHOWN = 100
"""Sessions that wait that are listed."""


class AcceptedSessions:
    """Reads what the machine keeps of sessions, and asks the chain where that is not enough."""

    def __init__(self, store: DurableStore, machine: Anchoring, anchored: AnchoredSessions) -> None:
        self._store = store
        self._machine = machine
        self._anchored = anchored

    async def waiting(self, driver: Driver) -> SessionsWaiting:
        """How many wait for finality, the newest of them, and those that failed."""
        count, names = await driver.inspect(self._newest)
        rows = await self._store.read(lambda: [(name, self._machine.row(name)) for name in names])
        return SessionsWaiting(count, tuple(_state(name, row) for name, row in rows if row is not None))

    def _newest(self) -> tuple[int, list[bytes]]:
        pending = self._machine.pending
        return len(pending), [*islice(reversed(pending), MAX_SHOWN), *reversed(self._machine.failed)]

    async def status(self, identity: bytes) -> str:
        """`pending`, `final` or `failed`, of one that was just accepted."""
        row = await self._store.read(self._machine.row, identity)
        return "pending" if row is None else row.status.name.lower()

    async def named(self, text: str, owner: bytes) -> tuple[bytes, bytes]:
        """Id and owner of the session that a request names. Raises `Problem` where the id alone has several owners."""
        session = session_id(text)
        if owner:
            return session, owner
        owners = set(await self._store.read(self._owners_here, session))
        try:
            owners |= {bytes.fromhex(each.owner) for each in await self._anchored.find(session, b"")}
        except Problem:
            if not owners:
                raise
        if not owners:
            raise Problem(Code.SESSION_UNKNOWN)
        if len(owners) > 1:
            keys = sorted(owner.hex() for owner in owners)
            raise Problem(Code.SESSION_OWNERS, f"?owner={' or '.join(keys)}", {"owners": keys})
        return session, owners.pop()

    def _owners_here(self, session: bytes) -> list[bytes]:
        """The owners whose sessions of this id were accepted here."""
        found = self._store.scan(SESSION_TABLE, session, MAX_OWNERS)
        return [key[len(session) :] for key, _ in found if key.startswith(session)]

    async def state(self, session: bytes, owner: bytes) -> SessionState:
        """Where a session is, taken here or not. Raises `Problem` (404) if neither node nor chain knows of it."""
        row = await self._store.read(self._machine.row, session + owner)
        if row is None:
            held = await self._anchored.find(session, owner)
            if not held:
                raise Problem(Code.SESSION_UNKNOWN)
            transaction, height = held[0].transaction, held[0].height
            final = SessionState(str(uuid.UUID(bytes=session)), "final", transaction, height, owner=owner.hex())
            return await self._anchored.with_copies(session + owner, final)
        state = _state(session + owner, row)
        if state.status == "pending":
            return await self._anchored.with_inclusion(state)
        return state if state.status != "final" else await self._anchored.with_copies(session + owner, state)

    async def manifest(self, session: bytes, owner: bytes) -> bytes:
        """A session's canonical manifest. Raises `Problem` (404) if it was not taken here."""
        found = await self._store.read(self._machine.manifest, session + owner)
        if found is None:
            await self.state(session, owner)
            raise Problem(Code.NOT_FOUND, "this session's manifest: ask who took it, or who holds its chunks")
        return found

    async def receipt(self, session: bytes, owner: bytes, checkpoint: bytes | None) -> bytes:
        """What proves a final session, with its manifest if it was taken here. Raises `Problem` where there is none."""
        state = await self.state(session, owner)
        if state.status == "failed":
            raise Problem(Code.SESSION_FAILED, f"{state.code}: {state.message}")
        if state.status != "final":
            raise Problem(Code.SESSION_UNKNOWN, f"not yet: it is {state.status}")
        if state.transaction is None:
            raise Problem(Code.NOT_FOUND, f"its block {state.height}, which is older than this node's first")
        status, document = await self._anchored.receipt(state.transaction, checkpoint)
        if checkpoint is not None and status in (404, 409):
            sentence = "no final block here that is near enough has that hash"
            raise Problem(Code.RECEIPT_CHECKPOINT, sentence, status=status)
        if status != 200:
            raise Problem(Code.UNAVAILABLE, f"manager answers {status}")
        manifest = await self._store.read(self._machine.manifest, session + owner)
        return document if manifest is None else await trio.to_thread.run_sync(with_manifest, document, manifest)


def _state(identity: bytes, row: SessionRow) -> SessionState:
    """What this node alone knows of a session that it took: `pending`, `final` or `failed`."""
    state = SessionState(
        str(uuid.UUID(bytes=identity[:SESSION_ID_BYTES])),
        "pending",
        row.transaction.hex(),
        accepted_ms=row.accepted_ms,
        owner=identity[SESSION_ID_BYTES:].hex(),
    )
    if row.status is Status.FAILED:
        code = msgspec.convert(row.failure, Code)
        return replace(state, status="failed", code=code.code, message=code.sentence)
    return replace(state, status="final", height=row.height) if row.status is Status.FINAL else state
