"""Session anchoring as a machine: takes sessions durably, hands their anchors to the engine until they are final.

A session is durable before its client is answered, and is handed in again at every start and every `RETRY_MS` until
the chain holds it, so that whatever crashes, nothing that was accepted is lost (protocol section 7). A session is its
id and its owner, 48 bytes; those of one id stand together in the tables.
"""

from __future__ import annotations

from enum import IntEnum
from typing import assert_never

from msgspec import structs

from lucid.chain.codec import Record, decode, encode
from lucid.chain.errors import Code
from lucid.chain.transactions import SessionAnchor, Transaction
from lucid.ledger.state import Reader, Write
from lucid.machines.effects import (
    SUBMIT_TIMER,
    AnchorAnswered,
    AnchorAsked,
    AnchoringEvent,
    BlockSettled,
    Effects,
    Respond,
    SessionSettled,
    SetTimer,
    Started,
    Store,
    Submit,
    TimerFired,
)

SESSION_TABLE = "session"
MANIFEST_TABLE = "manifest"
PENDING_TABLE = "pending"
FOLLOWED_TABLE = "followed"
FOLLOWED_KEY = b"height"
HEIGHT_BYTES = 8

FOLLOWED_BLOCKS = 32
"""Blocks without a session of this node after which the height is stored again."""
RETRY_MS = 30_000
"""How long after it was handed in an anchor that is not final is handed in again."""
TICK_MS = 1_000
MAX_RETRIES = 500
"""Anchors handed in again at once; the rest wait for the next tick."""
NEVER = -1
"""When what a crash left was handed in last; clocks may begin at 0."""
MAX_PENDING = 200_000
"""Sessions that may wait for finality; more are refused."""

_PASSING = frozenset({Code.MEMPOOL_FULL, Code.MEMPOOL_CLOSED, Code.RULES_UNKNOWN})
"""Refusals by the engine after which the same anchor can be accepted later."""


class Status(IntEnum):
    """Where a session is. Included, but not yet final, is for the manager to tell."""

    PENDING = 1
    FINAL = 2
    FAILED = 3


class SessionRow(Record):
    """An accepted session: its anchor, its status, the height of its block (0: none) and the code that it failed with
    (0: none)."""

    anchor: SessionAnchor
    transaction: bytes
    accepted_ms: int
    status: Status
    height: int
    failure: int


class Anchoring:
    """The machine. `store` shows every write that it returned before."""

    def __init__(self, store: Reader) -> None:
        self._store = store
        held = store.get(FOLLOWED_TABLE, FOLLOWED_KEY)
        self.followed = 0 if held is None else int.from_bytes(held, "big")
        """Height of the last final block that the machine was told of."""
        self._stored = self.followed
        self.pending: dict[bytes, int] = {}
        """Sessions that wait for finality, with the time (ms) when each was handed in last, oldest first."""
        self._sessions: dict[bytes, bytes] = {}
        for session, _ in store.scan(PENDING_TABLE):
            self.pending[session] = NEVER
            self._sessions[self._row(session).transaction] = session

    def handle(self, now: int, event: AnchoringEvent) -> Effects:
        """See `docs/architecture.md`."""
        match event:
            case Started() | TimerFired():
                return [SetTimer(SUBMIT_TIMER, now + TICK_MS), *self._retry(now)]
            case AnchorAsked():
                return self._ask(now, event)
            case AnchorAnswered():
                return self._answered(event)
            case BlockSettled():
                return self._settle_block(event)
            case SessionSettled():
                return self._settle_session(event)
            case _:
                assert_never(event)

    def row(self, session: bytes) -> SessionRow | None:
        """What is known of a session that was accepted here."""
        data = self._store.get(SESSION_TABLE, session)
        return None if data is None else decode(data, SessionRow)

    def manifest(self, session: bytes) -> bytes | None:
        """The canonical manifest of a session that was accepted here."""
        return self._store.get(MANIFEST_TABLE, session)

    def _row(self, session: bytes) -> SessionRow:
        row = self.row(session)
        assert row is not None, "a session that waits was accepted"
        return row

    def _ask(self, now: int, event: AnchorAsked) -> Effects:
        session = event.anchor.identity
        held = self.row(session)
        if held is not None:
            same = held.anchor == event.anchor
            return [Respond(event.request, held.transaction, None if same else Code.SESSION_CONFLICT)]
        transaction = Transaction(event.anchor, b"", 0, b"").id
        if len(self.pending) >= MAX_PENDING:
            return [Respond(event.request, transaction, Code.TOO_MANY)]
        row = SessionRow(
            anchor=event.anchor, transaction=transaction, accepted_ms=now, status=Status.PENDING, height=0, failure=0
        )
        self.pending[session] = now
        self._sessions[transaction] = session
        writes: tuple[Write, ...] = (
            (SESSION_TABLE, session, encode(row)),
            (MANIFEST_TABLE, session, event.manifest),
            (PENDING_TABLE, session, b"\x01"),
        )
        return [Store(writes), Respond(event.request, transaction, None), Submit(event.anchor, False)]

    def _answered(self, event: AnchorAnswered) -> Effects:
        if event.refusal is None or event.refusal in _PASSING or event.session not in self.pending:
            return []
        if event.refusal is Code.MEMPOOL_KNOWN:
            return []
        return [Store(tuple(self._settled(event.session, Status.FAILED, 0, event.refusal)))]

    def _settle_block(self, event: BlockSettled) -> Effects:
        assert event.height > self.followed, "blocks come in order"
        self.followed = event.height
        writes: list[Write] = []
        for transaction in event.transactions:
            session = self._sessions.get(transaction)
            if session is not None:
                writes += self._settled(session, Status.FINAL, event.height, 0)
        if not writes and event.height < self._stored + FOLLOWED_BLOCKS:
            return []  # after a crash these blocks are told of again, and settle nothing twice
        self._stored = event.height
        return [Store((*writes, (FOLLOWED_TABLE, FOLLOWED_KEY, event.height.to_bytes(HEIGHT_BYTES, "big"))))]

    def _settle_session(self, event: SessionSettled) -> Effects:
        if event.session not in self.pending:
            return []
        if self._sessions.get(event.transaction) == event.session:
            return [Store(tuple(self._settled(event.session, Status.FINAL, event.height, 0)))]
        return [Store(tuple(self._settled(event.session, Status.FAILED, 0, Code.SESSION_DUPLICATE)))]

    def _settled(self, session: bytes, status: Status, height: int, failure: int) -> list[Write]:
        """The writes after which a session waits no more."""
        assert status is not Status.PENDING
        row = self._row(session)
        assert row.status is Status.PENDING, "a session is settled once"
        del self.pending[session]
        del self._sessions[row.transaction]
        after = structs.replace(row, status=status, height=height, failure=failure)
        return [(SESSION_TABLE, session, encode(after)), (PENDING_TABLE, session, None)]

    def _retry(self, now: int) -> Effects:
        """Hand in again what has waited long; the dictionary's order is that of the last time."""
        due: list[bytes] = []
        for session, last in self.pending.items():
            if len(due) == MAX_RETRIES or (last != NEVER and 0 <= now - last < RETRY_MS):
                break
            due.append(session)
        effects: Effects = []
        for session in due:
            del self.pending[session]
            self.pending[session] = now
            effects.append(Submit(self._row(session).anchor, True))
        return effects
