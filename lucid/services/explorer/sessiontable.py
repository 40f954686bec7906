"""The sessions that a block manager shows people: those that wait, and those of the chain with their copies."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import partial

import msgspec
from msgspec.structs import replace

from lucid.api.answers import SessionState, SessionsWaiting
from lucid.chain.errors import Code
from lucid.machines.manager import Manager
from lucid.services.chain.chainview import ChainView
from lucid.services.chain.replicaview import ReplicaView
from lucid.services.chain.sessionsview import MAX_OWNERS, AnchoredSession, HeldSession
from lucid.services.explorer.recent import Recent
from lucid.services.explorer.siblings import answer, asked, spoken
from lucid.services.process.driver import Driver
from lucid.services.process.sibling import Sibling
from lucid.services.web.problems import Problem
from lucid.services.web.requested import number_query, query_number, session_id
from lucid.services.web.web import Web
from lucid.storage.durable import DurableStore

PAGE_SESSIONS = 100
PAGING = {"from": number_query(0, 2**53), "limit": number_query(1, PAGE_SESSIONS)}


class SessionTable(msgspec.Struct, frozen=True):
    """Sessions: `waiting` and failed ones of this node (None: its session anchoring does not answer), those in blocks
    that are not final yet, and those of the final blocks from `first` down to `last`; `next` is the height from which
    the next page goes on (None at its end)."""

    waiting: SessionsWaiting | None
    included: tuple[AnchoredSession, ...]
    final: tuple[AnchoredSession, ...]
    first: int
    last: int
    next: int | None


class SessionsNamed(msgspec.Struct, frozen=True):
    """The sessions of one id, one for each owner."""

    sessions: tuple[SessionState, ...]


class SessionListing:
    """The routes of them. `anchoring` is asked for those that wait, once in `keep_s` at most."""

    def __init__(
        self, manager: Manager, store: DurableStore, view: ChainView, anchoring: Sibling, keep_s: float
    ) -> None:
        self._manager = manager
        self._store = store
        self._view = view
        self._replicas = ReplicaView(manager.chain)
        self._anchoring = anchoring
        self._waiting = Recent(self._ask_waiting, keep_s)

    def register(self, web: Web, driver: Callable[[], Driver]) -> None:
        """Add the routes to the service."""
        route, view = web.route, self._view

        @route("GET", "/sessions", "Sessions and their states, newest first", gives=SessionTable, query=PAGING)
        async def sessions() -> SessionTable:
            top = self._manager.chain.tree.root.height
            first = min(query_number("from", top, 0, 2**53), top)
            limit = query_number("limit", 25, 1, PAGE_SESSIONS)
            page = await self._store.read(view.sessions.page, first, limit)
            included = await driver().inspect(view.sessions.unfinal)
            try:
                waiting = await self._waiting.get()
            except Problem:
                waiting = None
            return SessionTable(waiting, tuple(included), page.sessions, page.first, page.last, page.next)

        @route("GET", "/sessions/<session>", "Where the sessions of an id are", gives=SessionsNamed)
        async def session(session: str) -> SessionsNamed:
            identity = uuid.UUID(bytes=session_id(session))
            return SessionsNamed(await self._session(identity, driver()))

    async def _session(self, identity: uuid.UUID, driver: Driver) -> tuple[SessionState, ...]:
        """What the chain knows, else what session anchoring does. Raises `Problem`."""
        held = await driver.inspect(partial(self._view.sessions.named, identity.bytes, b""))
        if held:
            return tuple([await self._with_copies(identity, each, driver) for each in held])
        status, found = await answer(self._anchoring, f"/sessions/{identity}")
        with spoken(self._anchoring):
            if status == 409:  # several owners, none of whose sessions is on the chain yet
                owners = [bytes.fromhex(each).hex() for each in found["error"]["details"]["owners"][:MAX_OWNERS]]
                paths = [f"/sessions/{identity}?owner={owner}" for owner in owners]
                return tuple([await asked(self._anchoring, path, SessionState) for path in paths])
            if status == 200:
                return (msgspec.convert(found, SessionState),)
        raise Problem(Code.SESSION_UNKNOWN)

    async def _with_copies(self, identity: uuid.UUID, held: HeldSession, driver: Driver) -> SessionState:
        asked = partial(self._replicas.copies, identity.bytes, bytes.fromhex(held.owner))
        copies, wanted = await driver.inspect(asked)
        state = SessionState(str(identity), "final", held.transaction, held.height, owner=held.owner)
        return replace(state, copies=copies, copies_wanted=wanted)

    async def _ask_waiting(self) -> SessionsWaiting:
        return await asked(self._anchoring, "/sessions", SessionsWaiting)
