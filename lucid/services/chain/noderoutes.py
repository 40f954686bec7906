"""What a node's other services ask its block manager: routes for those who have the node's token."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import msgspec
import trio
from quart import Response

from lucid.api.answers import Credits
from lucid.chain.errors import Code
from lucid.chain.transactions import SESSION_ID_BYTES
from lucid.machines.replicamessages import MAX_BYTES, SESSION_BYTES, decode_replica
from lucid.services.chain.chainview import ChainView
from lucid.services.chain.chainwords import ChainInfo, SlotSchedule
from lucid.services.chain.index import TransactionIndex
from lucid.services.chain.ownclaims import SessionName
from lucid.services.chain.replicaview import ReplicaView
from lucid.services.chain.schedules import Schedules
from lucid.services.chain.seenvotes import SeenVote
from lucid.services.peer.peers import PeerDetail, Peers
from lucid.services.process.driver import Driver
from lucid.services.web.admission import NODE
from lucid.services.web.problems import Problem
from lucid.services.web.requested import (
    OWNED,
    SLOT,
    hex_bytes,
    number_query,
    query_number,
    query_owner,
    read_body,
    session_id,
)
from lucid.services.web.web import Web, json_response
from lucid.storage.durable import DurableStore

PAGE_BLOCKS = 100
MAX_SESSIONS = 64
"""That are asked about at once."""
MAX_WAIT_MS = 30_000
VOTING = {"since": number_query(0, 2**53), "until": number_query(0, 2**53)}
FOLLOWING = {"after": number_query(0, 2**53), "wait_ms": number_query(0, MAX_WAIT_MS)}


class PeerDetails(msgspec.Struct, frozen=True):
    """The other nodes with where they are and what is wrong, which is for the node's own people alone."""

    peers: tuple[PeerDetail, ...]


class Named(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Sessions, id and owner in hexadecimal."""

    sessions: tuple[SessionName, ...]


class NodeRoutes:
    """Routes for those who have the node's token. `driver` gives the manager's, once it runs; within `lasts` a scope
    ends when the service does."""

    def __init__(
        self,
        *,
        node: bytes,
        store: DurableStore,
        view: ChainView,
        replicas: ReplicaView,
        index: TransactionIndex,
        schedules: Schedules,
        peers: Peers,
        epoch_views: int,
        driver: Callable[[], Driver],
        lasts: Callable[[trio.CancelScope], AbstractContextManager[None]],
    ) -> None:
        self._node = node
        self._store = store
        self._view = view
        self._replicas = replicas
        self._index = index
        self._schedules = schedules
        self._peers = peers
        self._epoch_views = epoch_views
        self._driver = driver
        self._lasts = lasts

    def register(self, web: Web) -> None:
        """Add the routes to the manager's."""
        self._register_places(web)
        self._register_asked(web)
        self._register_followed(web)
        self._register_peers(web)

    def _register_places(self, web: Web) -> None:
        """How the chain holds this or that."""
        route = web.route

        @route("GET", "/node/info", "The chain and its height", gives=ChainInfo, access=NODE)
        async def info() -> ChainInfo:
            return self._view.info()

        @route("GET", "/node/transactions/<identity>", "Where a transaction is", access=NODE)
        async def transaction(identity: str) -> Response:
            key = hex_bytes(identity, 32, "id")
            place = await self._store.read(self._index.place, key)
            if place is not None:
                return json_response({"height": place.height, "final": True})
            height = await self._driver().inspect(lambda: self._view.included(key))
            if height is None:
                raise Problem(Code.NOT_FOUND, "transaction")
            return json_response({"height": height, "final": False})

        @route("GET", "/node/sessions/<session>", "How the chain holds a session", query=OWNED, access=NODE)
        async def held(session: str) -> Response:
            key, owner = session_id(session), query_owner()
            found = await self._driver().inspect(lambda: self._view.sessions.named(key, owner))
            if not found:
                raise Problem(Code.SESSION_UNKNOWN)
            return json_response({"sessions": found})

        @route("POST", "/node/replicas", "What the chain knows of copies of sessions", takes=Named, access=NODE)
        async def replicas(body: Named) -> Response:
            names = [hex_bytes(each, SESSION_BYTES, "session") for each in body.sessions[:MAX_SESSIONS]]
            found = await self._driver().inspect(
                lambda: [
                    self._replicas.replicas(name[:SESSION_ID_BYTES], name[SESSION_ID_BYTES:], self._node)
                    for name in names
                ]
            )
            return json_response({"sessions": found})

    def _register_asked(self, web: Web) -> None:
        """What the chain asks of this node."""
        route = web.route

        @route("POST", "/node/challenges", "What storage proofs the chain asks of this node", takes=Named, access=NODE)
        async def challenges(body: Named) -> Response:
            names = [hex_bytes(each, SESSION_BYTES, "session") for each in body.sessions[:MAX_SESSIONS]]
            asked, views = self._replicas.challenge, self._epoch_views
            found = await self._driver().inspect(
                lambda: [asked(name[:SESSION_ID_BYTES], name[SESSION_ID_BYTES:], self._node, views) for name in names]
            )
            return json_response({"sessions": found})

        @route("POST", "/node/relays", "What the chain knows of relays of sessions", takes=Named, access=NODE)
        async def relays(body: Named) -> Response:
            names = [hex_bytes(each, SESSION_BYTES, "session") for each in body.sessions[:MAX_SESSIONS]]
            found = await self._driver().inspect(
                lambda: [
                    self._replicas.relay(name[:SESSION_ID_BYTES], name[SESSION_ID_BYTES:], self._node) for name in names
                ]
            )
            return json_response({"sessions": found})

    def _register_followed(self, web: Web) -> None:
        """What goes on."""
        route = web.route

        @route("GET", "/node/final", "Final blocks above a height; waits for one", query=FOLLOWING, access=NODE)
        async def final() -> Response:
            after = query_number("after", 0, 0, 2**53)
            with trio.move_on_after(query_number("wait_ms", 0, 0, MAX_WAIT_MS) / 1000) as waiting, self._lasts(waiting):
                while self._index.height <= after:
                    await self._index.changed.wait()
            last = min(self._index.height, after + PAGE_BLOCKS)
            found = await self._store.read(self._view.finals, after + 1, last)
            return json_response({"blocks": found, "height": last})

        @route("GET", "/node/anchored", "Sessions in final blocks above a height", query=FOLLOWING, access=NODE)
        async def anchored() -> Response:
            after = query_number("after", 0, 0, 2**53)
            with trio.move_on_after(query_number("wait_ms", 0, 0, MAX_WAIT_MS) / 1000) as waiting, self._lasts(waiting):
                while self._index.height <= after:
                    await self._index.changed.wait()
            last = min(self._index.height, after + PAGE_BLOCKS)
            found = await self._store.read(self._replicas.anchored, after + 1, last)
            return json_response({"sessions": found, "height": last})

        @route("GET", "/node/votes/<node>", "A validator's latest vote that the chain holds", query=VOTING, access=NODE)
        async def votes(node: str) -> SeenVote:
            key = hex_bytes(node, 32, "node")
            views = range(query_number("since", 0, 0, 2**53), query_number("until", 2**53, 0, 2**53))
            voters = await self._driver().inspect(self._view.votes.voters)
            found = await self._store.read(self._view.votes.last_vote, key, views, *voters)
            if found is None:
                raise Problem(Code.NOT_FOUND, "vote of that node in those views")
            return found

        @route("GET", "/node/credits", "What each member's work counts for", gives=Credits, access=NODE)
        async def credits() -> Credits:
            return await self._driver().inspect(self._view.credits.credits)

        @route("GET", "/node/schedule", "Who leads in a slot, best first", query=SLOT, gives=SlotSchedule, access=NODE)
        async def schedule() -> SlotSchedule:
            return await self._schedule()

    def _register_peers(self, web: Web) -> None:
        """Who else there is, and what is sent to them."""
        route = web.route

        @route("GET", "/node/peers", "The other nodes: where they are, and what is wrong", access=NODE)
        async def peers() -> PeerDetails:
            return PeerDetails(tuple(self._peers.details()))

        @route("GET", "/node/members", "The registered nodes, and which of them are connected", access=NODE)
        async def members() -> Response:
            found = await self._driver().inspect(lambda: self._view.membership.members(self._node))
            connected = [each.node for each in self._peers.states() if each.connected]
            return json_response(found | {"connected": connected})

        @route("POST", "/node/peers/<node>/chunks", "Send a peer a message of the data chain", raw=bytes, access=NODE)
        async def chunks(node: str) -> Response:
            data = await read_body(MAX_BYTES)
            decode_replica(data)
            if not self._peers.send_bulk(hex_bytes(node, 32, "node"), data):
                raise Problem(Code.NOT_FOUND, "connected peer of that id")
            return json_response({}, 202)

    async def _schedule(self) -> SlotSchedule:
        """The schedule of the slot that the query names: of those that a block became final in, the last epochs'."""
        await self._schedules.keep()
        last = self._schedules.last
        if last is None:
            raise Problem(Code.NOT_FOUND, "schedule: no block is final here yet")
        epoch = query_number("epoch", last[0], 0, 2**53)
        slot = query_number("slot", last[1] if epoch == last[0] else 0, 0, 2**53)
        leaders = await self._store.read(self._schedules.leaders, epoch, slot)
        if leaders is None:
            raise Problem(Code.NOT_FOUND, f"schedule of slot {slot} of epoch {epoch}: no final block is in it here")
        return SlotSchedule(epoch, slot, tuple(key.hex() for key in leaders))
