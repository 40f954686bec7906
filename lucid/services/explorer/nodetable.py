"""The nodes that a block manager shows people: as the chain holds them, and as peers of this one."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from msgspec.structs import replace

from lucid.machines.manager import Manager
from lucid.machines.manager.sightings import Sighting
from lucid.services.chain.chainview import ChainView
from lucid.services.chain.membership import MemberView
from lucid.services.peer.peers import Peers, PeerState
from lucid.services.process.driver import Driver
from lucid.services.web.web import Web
from lucid.storage.durable import DurableStore
from lucid.storage.errors import StoreError


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


class NodeListing:
    """The route of them."""

    def __init__(self, manager: Manager, store: DurableStore, view: ChainView) -> None:
        self._manager = manager
        self._store = store
        self._view = view

    def register(self, web: Web, peers: Peers, driver: Callable[[], Driver]) -> None:
        """Add the route to the service."""
        route, view = web.route, self._view

        @route("GET", "/nodes", "The nodes: as the chain holds them, and as peers of this one", gives=NodeTable)
        async def nodes() -> NodeTable:
            members = await driver().inspect(view.membership.nodes)
            states = {each.node: each for each in await self.peer_states(peers)}
            known = tuple(NodeView(each.node, each, states.pop(each.node, None)) for each in members)
            others = tuple(NodeView(node, None, state) for node, state in states.items())
            return NodeTable(self._manager.key.hex(), known + others)

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
