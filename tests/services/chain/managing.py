"""The routes of a block manager over a chain that grows, at a port, for its node's own people."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import Any

import httpx
import trio

from lucid.chain.genesis import Activation
from lucid.machines.effects import Broadcast, Forward, Observe, Send, Started
from lucid.services.chain.blocks import BlockRoutes
from lucid.services.chain.chainview import ChainView
from lucid.services.chain.index import TransactionIndex
from lucid.services.chain.noderoutes import NodeRoutes
from lucid.services.chain.replicaview import ReplicaView
from lucid.services.chain.schedules import Schedules
from lucid.services.peer.peers import Peers
from lucid.services.process.cache import ReadCache
from lucid.services.process.driver import Driver, Performer
from lucid.storage.sqlite import SqliteStore
from tests.builders import make_genesis
from tests.services.chain.growing import Growing
from tests.services.peer.acquainted import CHAIN, CRYPTO, KEYS
from tests.services.web.served import served, web
from tests.waiting import until

GENESIS = make_genesis(rules=Activation(4))
HEADERS = {"Authorization": "Bearer node"}
NOTHING: dict[type, Performer] = {kind: lambda effect: None for kind in (Send, Broadcast, Forward, Observe)}
"""Nobody is there to be told anything."""


async def _unheard(peer: bytes, data: bytes, handled: Any) -> None:
    """Nobody speaks to this node."""


class Node:
    """A block manager's routes over a chain that grows."""

    def __init__(self, store: SqliteStore, peers: Peers) -> None:
        self.growing = Growing(store, GENESIS)
        self.signers = self.growing.signers
        chain, durable = self.growing.chain, self.growing.store
        self.schedules = Schedules(chain, durable)
        self.index = TransactionIndex(chain, durable, self.schedules.keep)
        self.driver = Driver(self.growing.manager, durable, NOTHING)
        self.waiting: set[trio.CancelScope] = set()
        """What would last longer than an answer."""
        self.kit = web(token="node")
        view = ChainView(chain, durable, GENESIS)
        NodeRoutes(
            node=self.signers.node(0),
            store=durable,
            view=view,
            replicas=ReplicaView(chain),
            index=self.index,
            schedules=self.schedules,
            peers=peers,
            epoch_views=GENESIS.parameters.epoch_views,
            driver=lambda: self.driver,
            lasts=self._lasts,
        ).register(self.kit)
        BlockRoutes(
            chain=chain,
            view=view,
            index=self.index,
            store=durable,
            cache=ReadCache(None, GENESIS.chain_id, b"node"),
            genesis=GENESIS,
            driver=lambda: self.driver,
        ).register(self.kit)
        self.client: httpx.AsyncClient

    @contextmanager
    def _lasts(self, scope: trio.CancelScope) -> Iterator[None]:
        self.waiting.add(scope)
        try:
            yield
        finally:
            self.waiting.discard(scope)

    async def get(self, path: str, status: int = 200, **body: Any) -> Any:
        """What is answered at a path; to a body, if there is one."""
        method = "POST" if body else "GET"
        found = await self.client.request(method, path, headers=HEADERS, json=body or None)
        assert found.status_code == status, found.text
        return found.json()

    async def grow(self, *candidates: Any) -> str:
        """One more block, final; returns its hash."""
        block = await self.driver.inspect(partial(self.growing.grow, *candidates))
        self.index.follow()
        await until(lambda: self.index.height == block.header.height)
        return block.header.hash.hex()


@asynccontextmanager
async def node(store: SqliteStore, peers: Peers | None = None) -> AsyncIterator[Node]:
    """One whose chain is at genesis, and a client of its own people."""
    found = Node(store, peers or Peers(CRYPTO, KEYS[0], CHAIN, {KEYS[1]: "tcp://127.0.0.1:1"}, _unheard))
    async with trio.open_nursery() as nursery:
        await nursery.start(found.growing.store.run)
        await nursery.start(found.driver.run, Started())
        nursery.start_soon(found.index.run)
        async with served(found.kit) as (client, _):
            found.client = client
            yield found
        found.growing.store.end()
        nursery.cancel_scope.cancel()
