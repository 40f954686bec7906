"""What a block manager shows people of its node and of the chain: nodes, sessions, the four services, chunks."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from functools import partial
from typing import Any, TypeVar

import msgspec
import trio
from msgspec.structs import replace

from lucid.api.answers import DataStatus, SessionState, SessionsWaiting
from lucid.api.services import ANCHORING, DATA, ENGINE
from lucid.chain.errors import Code
from lucid.chain.printable import printable
from lucid.machines.manager import Manager
from lucid.machines.manager.sightings import Sighting
from lucid.services.chain.chainview import MAX_OWNERS, AnchoredSession, ChainView
from lucid.services.chain.membership import MemberView
from lucid.services.chain.replicaview import ReplicaView
from lucid.services.explorer.recent import Recent
from lucid.services.peer.peers import Peers, PeerState
from lucid.services.process.config import Config
from lucid.services.process.driver import Driver
from lucid.services.process.sibling import Sibling
from lucid.services.web.health import Condition, Health
from lucid.services.web.problems import Problem
from lucid.services.web.requested import number_query, query_number, session_id
from lucid.services.web.web import Web
from lucid.storage.durable import DurableStore
from lucid.storage.interface import StoreError

T = TypeVar("T")

KEEP_S = 1.0
"""How old what the node's other services said may be."""
HEALTH_S = 2.0
"""How long one of them has to say how it is."""
PAGE_SESSIONS = 100
PAGING = {"from": number_query(0, 2**53), "limit": number_query(1, PAGE_SESSIONS)}


class NodeView(msgspec.Struct, frozen=True):
    """A node: how the chain holds it (None: it is a peer that is not registered), and how this one sees it as a peer
    (None: it is this node itself, or no peer of it)."""

    node: str
    member: MemberView | None
    peer: PeerState | None


class NodeTable(msgspec.Struct, frozen=True):
    """All nodes: those registered in their order, then other peers; `here` is the one that answers."""

    here: str
    nodes: tuple[NodeView, ...]


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


class NodeHealth(msgspec.Struct, frozen=True):
    """How the node's four services are."""

    services: tuple[Health, ...]


class Overview:
    """The routes of it. Other services are asked once a second at most, however many look."""

    def __init__(self, config: Config, web: Web, store: DurableStore, manager: Manager, view: ChainView) -> None:
        self._web = web
        self._store = store
        self._manager = manager
        self._view = view
        self._replicas = ReplicaView(manager.chain)
        self._engine = Sibling("engine", config.engine_url, config)
        self._anchoring = Sibling("anchoring", config.anchoring_url, config)
        self._data = Sibling("data", config.data_url, config)
        self._health = Recent(self._ask_health, KEEP_S)
        self._chunks = Recent(self._ask_data, KEEP_S)
        self._waiting = Recent(self._ask_waiting, KEEP_S)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Within it the other services can be asked."""
        async with AsyncExitStack() as stack:
            for sibling in (self._engine, self._anchoring, self._data):
                await stack.enter_async_context(sibling)
            yield

    def register(self, peers: Peers, driver: Callable[[], Driver]) -> None:
        """Add the routes to the service."""
        route, view = self._web.route, self._view

        @route("GET", "/nodes", "The nodes: as the chain holds them, and as peers of this one", gives=NodeTable)
        async def nodes() -> NodeTable:
            members = await driver().inspect(view.membership.nodes)
            states = {each.node: each for each in await self.peer_states(peers)}
            known = tuple(NodeView(each.node, each, states.pop(each.node, None)) for each in members)
            others = tuple(NodeView(node, None, state) for node, state in states.items())
            return NodeTable(self._manager.key.hex(), known + others)

        @route("GET", "/sessions", "Sessions and their states, newest first", gives=SessionTable, query=PAGING)
        async def sessions() -> SessionTable:
            top = self._manager.chain.tree.root.height
            first = min(query_number("from", top, 0, 2**53), top)
            limit = query_number("limit", 25, 1, PAGE_SESSIONS)
            page = await self._store.read(view.sessions_from, first, limit)
            included = await driver().inspect(view.sessions_included)
            try:
                waiting = await self._waiting.get()
            except Problem:
                waiting = None
            return SessionTable(waiting, tuple(included), page.sessions, page.first, page.last, page.next)

        @route("GET", "/sessions/<session>", "Where the sessions of an id are", gives=SessionsNamed)
        async def session(session: str) -> SessionsNamed:
            identity = uuid.UUID(bytes=session_id(session))
            return SessionsNamed(await self._session(identity, driver()))

        @route("GET", "/services", "How this node's four services are", gives=NodeHealth)
        async def services() -> NodeHealth:
            conditions = self._web.conditions()
            reasons = tuple(each.sentence for each in conditions)
            status = "degraded" if conditions else "healthy"
            own = Health(status, self._web.service, reasons, conditions)
            return NodeHealth((own, *await self._health.get()))

        @route("GET", "/data", "The chunks that this node's data chain holds, and where copies are", gives=DataStatus)
        async def data() -> DataStatus:
            return await self._chunks.get()

    async def peer_states(self, peers: Peers) -> list[PeerState]:
        """Every peer with its lag; of one that is behind it is not known while the store does not answer."""
        root = self._manager.chain.tree.root
        head = root.ledger.core.head
        found = []
        for state in peers.states():
            seen = self._manager.sightings.latest.get(bytes.fromhex(state.node))
            if seen is None:
                found.append(state)
                continue
            height: int | None = root.height
            if (seen.epoch, seen.view) < (head.epoch, head.view) and seen.height < root.height:
                height = await self._height_of(seen)
            behind = None if height is None else root.height - height
            found.append(replace(state, height=height or 0, behind=behind, heard_ms=seen.at_ms))
        return found

    async def _height_of(self, seen: Sighting) -> int | None:
        try:
            return max(seen.height, await self._store.read(self._view.height_of, seen.epoch, seen.view))
        except StoreError:
            return None

    async def _session(self, identity: uuid.UUID, driver: Driver) -> tuple[SessionState, ...]:
        """What the chain knows, else what session anchoring does. Raises `Problem`."""
        held = await driver.inspect(partial(self._view.sessions, identity.bytes, b""))
        if held:
            return tuple([await self._with_copies(identity, each, driver) for each in held])
        status, found = await _answer(self._anchoring, f"/sessions/{identity}")
        with _spoken(self._anchoring):
            if status == 409:  # several owners, none of whose sessions is on the chain yet
                owners = [bytes.fromhex(each).hex() for each in found["error"]["details"]["owners"][:MAX_OWNERS]]
                paths = [f"/sessions/{identity}?owner={owner}" for owner in owners]
                return tuple([await _asked(self._anchoring, path, SessionState) for path in paths])
            if status == 200:
                return (msgspec.convert(found, SessionState),)
        raise Problem(Code.SESSION_UNKNOWN)

    async def _with_copies(self, identity: uuid.UUID, held: dict[str, Any], driver: Driver) -> SessionState:
        owner = held["owner"]
        asked = partial(self._replicas.copies, identity.bytes, bytes.fromhex(owner))
        copies, wanted = await driver.inspect(asked)
        state = SessionState(str(identity), "final", held["transaction"], held["height"], owner=owner)
        return replace(state, copies=copies, copies_wanted=wanted)

    async def _ask_waiting(self) -> SessionsWaiting:
        return await _asked(self._anchoring, "/sessions", SessionsWaiting)

    async def _ask_data(self) -> DataStatus:
        return await _asked(self._data, "/status", DataStatus)

    async def _ask_health(self) -> tuple[Health, ...]:
        siblings = {ENGINE.name: self._engine, ANCHORING.name: self._anchoring, DATA.name: self._data}
        found: dict[str, Health] = {}

        async def ask(name: str, sibling: Sibling) -> None:
            found[name] = await _health(name, sibling)

        async with trio.open_nursery() as nursery:
            for name, sibling in siblings.items():
                nursery.start_soon(ask, name, sibling)
        return tuple(found[name] for name in siblings)


@contextmanager
def _spoken(sibling: Sibling) -> Iterator[None]:
    """Raise `Problem` (503) where a service does not answer as it should, saying no more than which."""
    try:
        with sibling.understood():
            yield
    except Problem:
        raise Problem(Code.UNAVAILABLE, f"the node's {sibling.name} service does not answer") from None


async def _answer(sibling: Sibling, path: str) -> tuple[int, Any]:
    """Status and JSON of what a service answers. Raises `Problem` (503)."""
    with _spoken(sibling):
        status, data = await sibling.fetch(path)
        if status not in (200, 404, 409):
            raise Problem(Code.UNAVAILABLE)
        return status, msgspec.json.decode(data)


async def _asked(sibling: Sibling, path: str, kind: type[T]) -> T:
    """What a service answers, of the type that it should be. Raises `Problem` (503)."""
    _, found = await _answer(sibling, path)
    with _spoken(sibling):
        return msgspec.convert(found, kind)


async def _health(name: str, sibling: Sibling) -> Health:
    """What a service says of itself, as it may be shown."""
    try:
        status, body = await sibling.fetch("/health", HEALTH_S)
        with sibling.understood():
            said = msgspec.json.decode(body, type=Health)
    except Problem:
        return _away(name)
    if status not in (200, 503):
        return _away(name)
    conditions = tuple(
        Condition(printable(each.state), printable(each.sentence), printable(each.remedy)) for each in said.conditions
    )
    return Health(printable(said.status), name, tuple(each.sentence for each in conditions), conditions)


def _away(name: str) -> Health:
    sentence = "it does not answer"
    return Health("away", name, (sentence,), (Condition("away", sentence, "see that it runs, and read its log"),))
