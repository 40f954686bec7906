"""What a block manager shows people of its node: its four services and their chunks, with the tables of the chain."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from lucid.api.answers import DataStatus
from lucid.api.services import ANCHORING, DATA, ENGINE
from lucid.machines.manager import Manager
from lucid.services.chain.chainview import ChainView
from lucid.services.explorer.nodehealth import NodeHealth, health_of, own_health
from lucid.services.explorer.nodetable import NodeListing
from lucid.services.explorer.recent import Recent
from lucid.services.explorer.sessiontable import SessionListing
from lucid.services.explorer.siblings import asked
from lucid.services.peer.peers import Peers
from lucid.services.process.config import Config
from lucid.services.process.driver import Driver
from lucid.services.process.sibling import Sibling
from lucid.services.web.web import Web
from lucid.storage.durable import DurableStore

KEEP_S = 1.0
"""How old what the node's other services said may be."""


class Overview:
    """The routes of it. Other services are asked once a second at most, however many look."""

    def __init__(self, config: Config, web: Web, store: DurableStore, manager: Manager, view: ChainView) -> None:
        self._web = web
        self._engine = Sibling("engine", config.engine_url, config)
        self._anchoring = Sibling("anchoring", config.anchoring_url, config)
        self._data = Sibling("data", config.data_url, config)
        siblings = {ENGINE.name: self._engine, ANCHORING.name: self._anchoring, DATA.name: self._data}
        self._health = Recent(partial(health_of, siblings), KEEP_S)
        self._chunks = Recent(self._ask_data, KEEP_S)
        self.nodes = NodeListing(manager, store, view)
        self._sessions = SessionListing(manager, store, view, self._anchoring, KEEP_S)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Within it the other services can be asked."""
        async with AsyncExitStack() as stack:
            for sibling in (self._engine, self._anchoring, self._data):
                await stack.enter_async_context(sibling)
            yield

    def register(self, peers: Peers, driver: Callable[[], Driver]) -> None:
        """Add the routes to the service."""
        route = self._web.route
        self.nodes.register(self._web, peers, driver)
        self._sessions.register(self._web, driver)

        @route("GET", "/services", "How this node's four services are", gives=NodeHealth)
        async def services() -> NodeHealth:
            own = own_health(self._web.service, self._web.conditions())
            return NodeHealth((own, *await self._health.get()))

        @route("GET", "/data", "The chunks that this node's data chain holds, and where copies are", gives=DataStatus)
        async def data() -> DataStatus:
            return await self._chunks.get()

    async def _ask_data(self) -> DataStatus:
        return await asked(self._data, "/status", DataStatus)
