"""The block manager's service (port 8086): validates, stores, serves and propagates blocks; talks to peers."""

from __future__ import annotations

import logging
import socket
import ssl
from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec
import trio
from quart import Response

from lucid.api.answers import RulesState
from lucid.api.services import MANAGER
from lucid.chain.codec import encode
from lucid.chain.errors import Code, Refusal
from lucid.machines.effects import (
    REPLICATING,
    BlockFinal,
    BlockValid,
    Broadcast,
    EngineJoined,
    Forward,
    Observe,
    PeerJoined,
    Proposed,
    Received,
    Refused,
    Respond,
    Send,
    Started,
    Submit,
)
from lucid.machines.manager import Manager
from lucid.machines.performing import complete
from lucid.machines.replicamessages import is_replica_message
from lucid.services.chain.blocks import BlockRoutes
from lucid.services.chain.chainview import ChainStatus, ChainView
from lucid.services.chain.clocks import Clocks
from lucid.services.chain.decisions import Decisions
from lucid.services.chain.index import TransactionIndex
from lucid.services.chain.liveness import Liveness, Reach, no_validator
from lucid.services.chain.noderoutes import PAGE_BLOCKS, NodeRoutes
from lucid.services.chain.replicaview import ReplicaView
from lucid.services.chain.schedules import Schedules
from lucid.services.chain.upgrading import Upgrading
from lucid.services.chunks.chunkrelay import ChunkRelay
from lucid.services.explorer.overview import Overview
from lucid.services.peer.addresses import peer_addresses
from lucid.services.peer.dialing import ConnectionLost
from lucid.services.peer.link import PATH as ENGINE_PATH
from lucid.services.peer.link import Frames, Link
from lucid.services.peer.linkgreeting import Greeting, LinkVersion, read_greeting
from lucid.services.peer.linkmessages import FROM_ENGINE, CertificateGiven, CertificateWanted, Farewell
from lucid.services.peer.peerlistener import PeerListener
from lucid.services.peer.peers import Peers, PeerState
from lucid.services.peer.transport import Transport, holds, new_transport_key
from lucid.services.process.config import Config
from lucid.services.process.driver import DRIVEN, Driver, Performer, clock_ms
from lucid.services.process.journals import open_journal
from lucid.services.process.running import main
from lucid.services.process.service import Service, open_port
from lucid.services.web.health import Condition
from lucid.services.web.pages import load_page
from lucid.services.web.problems import Problem
from lucid.services.web.route import HTML

GREETING_S = 5.0
CERTIFY_S = 86_400.0
"""How long a transport key serves."""

_log = logging.getLogger("lucid.manager")


class PeerTable(msgspec.Struct, frozen=True):
    """All peers of this node."""

    peers: tuple[PeerState, ...]


class ManagerService(Service):
    """The block manager: validates, stores, serves and propagates blocks."""

    listed = MANAGER

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.peers = Peers(
            crypto=self.crypto,
            own=self.key,
            chain=self.genesis.chain_id,
            addresses=peer_addresses(config.peers),
            deliver=self._received,
            proxy=config.socks5 or None,
            trust=config.trust(),
            joined=self._joined,
        )
        self.listener = PeerListener(self.peers, self._peer_tls())
        self.relay = ChunkRelay(self.peers.peers, config)
        self.manager = Manager(self.key, self.genesis, self.crypto, self.store, tuple(sorted(self.peers.peers)))
        self.chain = self.manager.chain
        self.view = ChainView(self.chain, self.store, self.genesis)
        self.schedules = Schedules(self.chain, self.store)
        self.overview = Overview(config, self.web, self.store, self.manager, self.view)
        self.decisions = Decisions(config, self.web)
        self.index = TransactionIndex(self.chain, self.store, self.schedules.keep)
        self.created = self.refused = 0
        self.latency_ms = 0
        self._seen: dict[bytes, int] = {}
        self._link: Link | None = None
        self._unfit = ""
        self._driver: Driver | None = None
        self._transport_key = b""
        self.liveness = Liveness(
            self.genesis,
            lambda: self.chain.tree.root.height,
            lambda: self.manager.syncing.sources.vouched_height,
            self._validators_seen,
            lambda: self.manager.syncing.sources.informed,
        )
        self.clocks = Clocks(self.genesis, self.peers.clocks_off_ms)
        self.upgrading = Upgrading(self.chain, self.genesis, self.key, self.peers.known_rules)
        self._show_conditions()
        self._show_figures()
        self._register()
        self._register_rooms()

    def _show_conditions(self) -> None:
        """What `/health` says besides what each service does."""
        self.web.checks += [
            self._reach,
            self.upgrading.stopped,
            *map(self._while_it_goes_on, [*self.liveness.conditions(), self.clocks.own]),
        ]
        self.web.warnings += [
            self.clocks.of_peers,
            self.upgrading.due,
            lambda: no_validator(self.chain, self.key),
        ]

    def _show_figures(self) -> None:
        """What `/metrics` says."""
        gauge = self.web.gauge
        gauge("block_height", "Height of the last final block.", lambda: self.chain.tree.root.height)
        gauge("blocks_created", "Blocks proposed here since the start.", lambda: self.created)
        gauge("messages_refused", "What peers sent that broke a rule.", lambda: self.refused)
        gauge("rules_version", "Rules in force for the next block.", lambda: self.chain.rules.version)
        gauge("rules_known", "The newest rules that this node knows.", lambda: self.chain.rules_known)
        gauge("rules_scheduled", "Rules that are scheduled, 0 if none are.", lambda: self.chain.rules.next_version)
        gauge("finality_latency_ms", "From a block's arrival to its finality, last one.", lambda: self.latency_ms)
        gauge("sync_lag_seconds", "Age of the last final block.", self._lag_s)
        gauge("peers_connected", "Peers connected.", lambda: sum(each.connected for each in self.peers.states()))
        gauge("peers_unproven", "Connections that have not proven to be a peer's.", lambda: self.listener.unproven)
        gauge("peers_turned_away", "Connections that proved nothing, since the start.", self._turned_away)
        gauge("peers_failed", "Connections that ended by a fault of this program.", lambda: self.peers.failures)

    def _register_rooms(self) -> None:
        """The routes of what this service is made of."""
        NodeRoutes(
            node=self.key,
            store=self.store,
            view=self.view,
            replicas=ReplicaView(self.chain),
            index=self.index,
            schedules=self.schedules,
            peers=self.peers,
            epoch_views=self.genesis.parameters.epoch_views,
            driver=lambda: self.driver,
            lasts=self.lasts,
        ).register(self.web)
        self.overview.register(self.peers, lambda: self.driver)
        BlockRoutes(
            chain=self.chain,
            view=self.view,
            index=self.index,
            store=self.store,
            cache=self.cache,
            genesis=self.genesis,
            driver=lambda: self.driver,
        ).register(self.web)
        self.decisions.register()

    async def work(self, task_status: trio.TaskStatus[None]) -> None:
        """See `Service`."""
        table: dict[type, Performer] = {
            Send: lambda effect: self.peers.send(effect.peer, effect.data),
            Broadcast: lambda effect: self.peers.broadcast(effect.data),
            Forward: self._tell,
            Observe: self._observe,
        }
        performers = complete(table, elsewhere=(*DRIVEN, *REPLICATING, Respond, Submit))
        peers = self.manager.peers
        async with (
            open_journal(self.config.journal, "manager", self.genesis, self.key, peers, self.store) as journal,
            self.overview.running(),
            self.decisions.running(),
            trio.open_nursery() as nursery,
        ):
            self._driver = Driver(self.manager, self.store, performers, journal)
            await nursery.start(self._driver.run, Started())
            if self.peers.peers:
                bind, port = self.config.peer_bind, self.config.peer_port
                nursery.start_soon(self._connect_peers, open_port(bind, port, "peer_bind and peer_port"))
                nursery.start_soon(self.relay.run)
            nursery.start_soon(self.index.run)
            task_status.started()

    @property
    def driver(self) -> Driver:
        """The driver, once the service runs."""
        if self._driver is None:
            raise Problem(Code.UNAVAILABLE, "starting")
        return self._driver

    def _peer_tls(self) -> ssl.SSLContext | None:
        files = self._tls()
        if files is None:
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_cert_chain(*files)
        return context

    def _turned_away(self) -> int:
        return self.listener.turned_away

    async def _connect_peers(self, listening: socket.socket) -> None:
        """Listen for peers and dial them, until the service stops."""
        with trio.CancelScope() as scope:
            self.lasting.add(scope)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self.listener.run, listening)
                nursery.start_soon(self.peers.run)

    async def _received(self, peer: bytes, data: bytes, handled: Callable[[], None]) -> None:
        if is_replica_message(data):
            self.relay.take(peer, data, handled)
        else:
            await self.driver.deliver(Received(peer, data), handled)

    async def _joined(self, peer: bytes) -> None:
        await self.driver.deliver(PeerJoined(peer))

    def _tell(self, effect: Forward) -> None:
        if self._link is not None:
            self._link.tell(effect)

    def _observe(self, effect: Observe) -> None:
        fact = effect.fact
        if isinstance(fact, BlockFinal):
            tick, now_ms = self.chain.tree.root.ledger.core.head.tick, clock_ms()
            self.liveness.block_final(tick, now_ms)
            self.clocks.block_final(tick, now_ms)
            self.latency_ms = clock_ms() - self._seen.pop(fact.hash, clock_ms())
            self.index.follow()
        elif isinstance(fact, BlockValid):
            self._seen[fact.hash] = clock_ms()
            if len(self._seen) > PAGE_BLOCKS:
                del self._seen[next(iter(self._seen))]
        elif isinstance(fact, Proposed):
            self.created += 1
        elif isinstance(fact, Refused):
            self.refused += 1

    def _validators_seen(self) -> Reach:
        keys, connected = self.chain.validators.index, {each.node for each in self.peers.states() if each.connected}
        seen = sum(key.hex() in connected for key in keys) + (self._link is not None and self.key in keys)
        return Reach(seen, self.chain.validators.quorum)

    def _while_it_goes_on(self, check: Callable[[], Condition | None]) -> Callable[[], Condition | None]:
        """A check that says nothing of a node that is too old for the chain: how far it is behind is no news then."""
        return lambda: None if self.chain.outdated else check()

    def _lag_s(self) -> float:
        root = self.chain.tree.root
        return max(0, clock_ms() - self.genesis.tick_ms(root.ledger.core.head.tick)) / 1000

    # -- connections ---------------------------------------------------------------------------------------------

    async def _lasting(self, talk: Any) -> None:
        """Let a connection last until it is over or the service stops."""
        with trio.CancelScope() as scope, self.lasts(scope):
            try:
                await talk
            except* (ConnectionLost, Refusal, trio.TooSlowError) as group:
                error: BaseException = group
                while isinstance(error, BaseExceptionGroup):
                    error = error.exceptions[0]
                _log.info("a connection ended: %s", error)

    async def _serve_engine(self, frames: Frames) -> None:
        """The node's engine: one at a time, the newest. One that is displaced is told, or it would wait forever."""
        with trio.fail_after(GREETING_S):
            data = await frames.receive()
        try:
            greeting = read_greeting(data)
        except LinkVersion as unfit:
            self._unfit = str(unfit)
            await frames.send(encode(Farewell(self._unfit)))
            raise
        if greeting != Greeting(self.genesis.chain_id, self.key):
            raise ConnectionLost("an engine of another chain or key")
        link = Link(frames, FROM_ENGINE, {CertificateGiven: self._certified})
        if self._link is not None:
            self._link.give_up("another engine took its place")
        self._link, self._unfit = link, ""
        try:
            await self.driver.deliver(EngineJoined())
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._be_certified, link)
                await link.run(self.driver.deliver)
        finally:
            if self._link is link:
                self._link = None

    async def _be_certified(self, link: Link) -> None:
        """Have a fresh transport key certified, now and every day."""
        while True:
            self._transport_key = new_transport_key()
            link.say(CertificateWanted(self.crypto.public_key(self._transport_key)))
            await trio.sleep(CERTIFY_S)

    async def _certified(self, given: CertificateGiven) -> None:
        certificate, secret = given.certificate, self._transport_key
        if certificate.transport != self.crypto.public_key(secret):
            return  # one that was asked for before
        wrong = (certificate.chain, certificate.node) != (self.genesis.chain_id, self.key)
        if wrong or not holds(self.crypto, certificate):
            raise ConnectionLost("the engine's certificate does not hold")
        self.peers.certify(Transport(secret, certificate))

    def _reach(self) -> str | None:
        """What is wrong with the way to the engine."""
        if self._link is None:
            return f"engine: {self._unfit or 'not connected'}"
        return "engine: it says nothing" if self._link.silent else None

    # -- what it answers -----------------------------------------------------------------------------------------

    def _register(self) -> None:
        route = self.web.route

        page = load_page("explorer")

        @route("GET", "/explorer", "The chain and this node, for people", gives=str, media=HTML)
        async def explorer() -> Response:
            return page.response()

        @route("GET", "/chain", "Where the chain stands here, and who leads", gives=ChainStatus)
        async def chain() -> ChainStatus:
            states = self.peers.states()
            connected = sum(each.connected for each in states)
            look = partial(self.view.status, self.key, clock_ms(), self.latency_ms, len(states), connected)
            return await self.driver.inspect(look)

        @route("GET", "/chain/rules", "Rules in force and scheduled, and who knows them", gives=RulesState)
        async def rules() -> RulesState:
            return await self.driver.inspect(self.upgrading.state)

        @route("GET", "/peers", "The other nodes", gives=PeerTable)
        async def peers() -> PeerTable:
            return PeerTable(tuple(await self.overview.nodes.peer_states(self.peers)))

        @self.web.lasting(ENGINE_PATH, self.web.admission.is_node)
        async def engine(frames: Frames) -> None:
            await self._lasting(self._serve_engine(frames))


if __name__ == "__main__":
    main(ManagerService)
