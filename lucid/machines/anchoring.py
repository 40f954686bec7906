"""Session anchoring as a machine: takes sessions durably, hands their anchors to the engine until they are final.

A session is durable before its client is answered, and is handed in until the chain holds it: at every start, and
`RETRY_MS` after the engine took it. So whatever crashes, nothing that was accepted is lost (protocol section 7). A
session is its id and its owner, 48 bytes; those of one id stand together in the tables.
"""

from __future__ import annotations

from collections import deque
from enum import IntEnum
from typing import assert_never

from msgspec import structs

from lucid.chain.codec import Record, decode, encode
from lucid.chain.errors import Code
from lucid.chain.transactions import SessionAnchor, Transaction
from lucid.ledger.rowstore import Reader, Write
from lucid.machines.effects import (
    SUBMIT_TIMER,
    AnchorAnswered,
    AnchorAsked,
    AnchoringEvent,
    BlockSettled,
    Effects,
    ManifestCame,
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
"""Of a height, big-endian, as `lucid.machines.chain.height_key` writes it."""

FOLLOWED_BLOCKS = 32
"""Blocks without a session of this node after which the height is stored again. Chosen: after a start so many are read
anew at most, and an idle node writes this once in 5 minutes at 10 s a block. At half it writes twice as often; at
double it reads twice as many."""
RETRY_MS = 30_000
"""How long after the engine took it an anchor that is not final is handed in again: it may have been evicted (section
7)."""
TICK_MS = 1_000
"""How often an engine that takes nothing is asked again (section 7)."""
MAX_HANDED = 64
"""Anchors that are with the engine, unanswered, at once. Chosen: enough that it is never idle while a write is on its
way. At half, it may be; at double, one that is full refuses twice as many for nothing."""
MAX_PENDING = 200_000
"""Sessions that may wait for finality; more are refused with `TOO_MANY`. Each takes some 300 bytes of memory."""
MAX_FAILED = 100
"""Sessions that failed last, to be shown. Chosen. At half, an operator sees less of a bad hour; at double, nothing
breaks: the row of each stays in the store, whatever this says."""

_PASSING = frozenset({Code.UNAVAILABLE, Code.MEMPOOL_FULL, Code.MEMPOOL_CLOSED, Code.RULES_UNKNOWN})
"""Refusals by the engine after which the same anchor can be accepted later."""


class Status(IntEnum):
    """Where a session is (section 7). Included, but not yet final, is for the manager to tell. Rows hold the number."""

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
    """The machine. `store` shows every write that it returned before.

    Sessions that are to be handed in stand in line. At most a window of them is with the engine, whose answer to each
    makes room for the next. The window is `MAX_HANDED`; where the engine takes nothing it closes, and opens with each
    tick for one anchor that tries again. So there is one line, one retry, and nothing that could overflow elsewhere.
    """

    def __init__(self, store: Reader) -> None:
        self._store = store
        held = store.get(FOLLOWED_TABLE, FOLLOWED_KEY)
        self.followed = 0 if held is None else int.from_bytes(held, "big")
        """Height of the last final block that the machine was told of."""
        self._stored = self.followed
        self.pending: dict[bytes, bytes] = {}
        """Sessions that wait for finality, in the order in which they came, with the ids of their transactions."""
        self.failed: deque[bytes] = deque(maxlen=MAX_FAILED)
        """Sessions that have failed since the start, newest last; the store has all."""
        self._sessions: dict[bytes, bytes] = {}
        """`pending` the other way round."""
        self._line: deque[tuple[bytes, bool]] = deque()
        """Those to be handed in, and whether they were before: what a crash left may have been. One that a block
        settles meanwhile is passed over when it comes to its turn."""
        self._with_engine: set[bytes] = set()
        """Those handed in whose answer is not there yet, settled meanwhile or not."""
        self._taken: dict[bytes, int] = {}
        """Those the engine took, with the time (ms) of its answer, oldest first."""
        self._window = MAX_HANDED
        for session, _ in store.scan(PENDING_TABLE):
            self._wait(session, self._row(session).transaction, again=True)

    def handle(self, now: int, event: AnchoringEvent) -> Effects:
        """See `docs/architecture.md`."""
        effects = self._take(now, event)
        # A write is not seen before it is returned: an anchor just accepted is not in the store yet.
        fresh = event.anchor if isinstance(event, AnchorAsked) else None
        return [*effects, *self._hand_in(fresh)]

    def _take(self, now: int, event: AnchoringEvent) -> Effects:
        match event:
            case Started() | TimerFired():
                self._window = self._window or 1
                self._line_up_again(now)
                return [SetTimer(SUBMIT_TIMER, now + TICK_MS)]
            case AnchorAsked():
                return self._ask(now, event)
            case AnchorAnswered():
                return self._answered(now, event)
            case BlockSettled():
                return self._settle_block(event)
            case SessionSettled():
                return self._settle_session(event)
            case ManifestCame():
                return self._keep(now, event)
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
        # The same again gets the same answer, as an answer may be lost; another manifest under the id never replaces
        # what was accepted (section 7).
        if held is not None:
            same = held.anchor == event.anchor
            return [Respond(event.request, held.transaction, None if same else Code.SESSION_CONFLICT)]
        transaction = Transaction(event.anchor, b"", 0, b"").id
        # Nothing of it is kept, so its client tries again: what is accepted is never given up (section 7).
        if len(self.pending) >= MAX_PENDING:
            return [Respond(event.request, transaction, Code.TOO_MANY)]
        row = SessionRow(
            anchor=event.anchor, transaction=transaction, accepted_ms=now, status=Status.PENDING, height=0, failure=0
        )
        self._wait(session, transaction, again=False)
        writes: tuple[Write, ...] = (
            (SESSION_TABLE, session, encode(row)),
            (MANIFEST_TABLE, session, event.manifest),
            (PENDING_TABLE, session, b"\x01"),
        )
        return [Store(writes), Respond(event.request, transaction, None)]

    def _wait(self, session: bytes, transaction: bytes, *, again: bool) -> None:
        self.pending[session] = transaction
        self._sessions[transaction] = session
        self._line.append((session, again))

    def _answered(self, now: int, event: AnchorAnswered) -> Effects:
        session, refusal = event.session, event.refusal
        asked = session in self._with_engine
        self._with_engine.discard(session)
        self._window = 0 if refusal in _PASSING else MAX_HANDED
        if session not in self.pending:
            return []  # a block settled it first
        if refusal is None or refusal is Code.MEMPOOL_KNOWN:
            if asked:
                self._taken[session] = now
            return []
        if refusal in _PASSING:
            if asked:
                self._line.append((session, True))  # behind the others: one that fits into no mempool holds none up
            return []
        return [Store(tuple(self._settled(session, Status.FAILED, 0, refusal)))]

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
        self._with_engine.discard(event.session)
        self._window = MAX_HANDED
        if event.session not in self.pending:
            return []
        if self._sessions.get(event.transaction) == event.session:
            return [Store(tuple(self._settled(event.session, Status.FINAL, event.height, 0)))]
        return [Store(tuple(self._settled(event.session, Status.FAILED, 0, Code.SESSION_DUPLICATE)))]

    def _keep(self, now: int, event: ManifestCame) -> Effects:
        """Keep what was not taken here: whoever comes for the session finds its manifest at this node too."""
        anchor = event.anchor
        if self.row(anchor.identity) is not None:
            return []
        row = SessionRow(
            anchor=anchor,
            transaction=Transaction(anchor, b"", 0, b"").id,
            accepted_ms=now,
            status=Status.FINAL,
            height=event.height,
            failure=0,
        )
        return [
            Store(((SESSION_TABLE, anchor.identity, encode(row)), (MANIFEST_TABLE, anchor.identity, event.manifest)))
        ]

    def _settled(self, session: bytes, status: Status, height: int, failure: int) -> list[Write]:
        """The writes after which a session waits no more."""
        assert status is not Status.PENDING
        row = self._row(session)
        assert row.status is Status.PENDING, "a session is settled once"
        del self.pending[session]
        del self._sessions[row.transaction]
        self._taken.pop(session, None)
        if status is Status.FAILED:
            self.failed.append(session)
        after = structs.replace(row, status=status, height=height, failure=failure)
        return [(SESSION_TABLE, session, encode(after)), (PENDING_TABLE, session, None)]

    def _line_up_again(self, now: int) -> None:
        """Put what the engine took long ago in line again. The dictionary's order is that of its answers."""
        due: list[bytes] = []
        for session, at in self._taken.items():
            if 0 <= now - at < RETRY_MS:
                break
            due.append(session)
        for session in due:
            del self._taken[session]
            self._line.append((session, True))

    def _hand_in(self, fresh: SessionAnchor | None) -> Effects:
        """Hand in the first in line, as many as the window has room for; `fresh` was accepted just now."""
        effects: Effects = []
        while self._line and len(self._with_engine) < self._window:
            session, again = self._line.popleft()
            if session not in self.pending:
                continue
            self._with_engine.add(session)
            anchor = fresh if fresh is not None and session == fresh.identity else self._row(session).anchor
            effects.append(Submit(anchor, again))
        return effects
