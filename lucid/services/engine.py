"""The blockchain engine's service (port 8084): consensus, block creation, mempool. Run it with `python -m`."""

from __future__ import annotations

import logging
import os
from typing import Any

import msgspec
import trio
from quart import request

from lucid.api.answers import Accepted, Credits, TransactionState
from lucid.api.requests import Submission
from lucid.api.services import ENGINE
from lucid.chain.codec import decode, encode
from lucid.chain.errors import Code, Refusal
from lucid.chain.manifests import check_manifest, example_manifest
from lucid.chain.transactions import Payload
from lucid.machines.effects import (
    REPLICATING,
    Broadcast,
    Evicted,
    Forward,
    Observe,
    Respond,
    Send,
    Signed,
    Started,
    Submit,
    Submitted,
    TimedOut,
)
from lucid.machines.engine import Engine
from lucid.machines.performing import complete
from lucid.machines.votelog import LATEST_KEY, VOTES_TABLE, new_log
from lucid.services.chain.chainwords import ChainInfo, SlotSchedule
from lucid.services.chain.claimroutes import ClaimRoutes
from lucid.services.chain.ownclaims import OwnClaims
from lucid.services.chain.ownvotes import LogOutdated, OwnVotes
from lucid.services.chain.seenvotes import SeenVote
from lucid.services.chain.upgrading import too_old
from lucid.services.peer.certifier import Certifier
from lucid.services.peer.dialing import ConnectionLost
from lucid.services.peer.link import PATH, Link
from lucid.services.peer.linkgreeting import Greeting
from lucid.services.peer.linkmessages import FROM_MANAGER, CertificateGiven, CertificateWanted, Farewell
from lucid.services.process.config import Config, ConfigError
from lucid.services.process.driver import DRIVEN, Driver, Performer, clock_ms
from lucid.services.process.journals import open_journal
from lucid.services.process.keyfile import read_key, unused
from lucid.services.process.running import main
from lucid.services.process.service import Service
from lucid.services.process.sibling import Sibling
from lucid.services.web.admission import WRITE
from lucid.services.web.asking import Asking
from lucid.services.web.health import Condition
from lucid.services.web.problems import Problem
from lucid.services.web.requested import SLOT, hex_bytes, query_number
from lucid.services.web.web import json_response
from lucid.services.web.websocket import open_websocket
from lucid.storage.errors import StoreDamaged

RECONNECT_S = 0.25

NOT_YET = "it has not reached its manager yet"
UNRECORDED = "the engine is idle until it has recorded this start"
UNRECORDABLE = "the engine signs nothing: its start cannot be recorded, the store is damaged"

_log = logging.getLogger("lucid.engine")


class ConsensusStatus(msgspec.Struct, frozen=True):
    """Where the engine stands."""

    node: str
    connected: bool
    epoch: int
    view: int
    validator: bool
    timeout_ms: int
    mempool: int
    height: int


class EngineService(Service):
    """The blockchain engine: consensus, block creation, mempool."""

    listed = ENGINE

    def __init__(self, config: Config) -> None:
        mark = unused(config.key)
        if mark.exists() and not os.access(mark.parent, os.W_OK):
            # Were it left there, a node that lost its log of votes would take a used key for a fresh one.
            raise ConfigError(f"key: {mark} cannot be removed: its folder must be writable when a key is first used")
        self.secret = b""
        super().__init__(config)
        self.engine: Engine | None = None
        self.driver: Driver | None = None
        self.signed = self.timeouts = self.evicted = 0
        self._trouble = NOT_YET
        self._asking = Asking()
        self.at_end.append(self._asking.give_up)
        self._manager = Sibling("manager", config.manager_url, config)
        self._link: Link | None = None
        self._tasks: trio.Nursery | None = None
        self._certifier = Certifier(self.crypto, self.secret, self.genesis.chain_id, self.store)
        self._claims = OwnClaims(self.key, self.secret, self.crypto, self.genesis.chain_id)
        self.votes = OwnVotes(
            self.store,
            config.data_dir / f"{self.listed.key}.starts",
            self._seek_vote,
            late_views=2 * self.genesis.parameters.slot_views,  # a block takes late votes of its slot and the last
        )
        self.web.checks += [self._reach, self._too_old, lambda: self.votes.condition(self.engine)]
        self.web.gauge("mempool_transactions", "Transactions that wait.", self._waiting)
        self.web.gauge("votes_signed", "Votes signed since the start.", lambda: self.signed)
        self.web.gauge("views_timed_out", "Views given up since the start.", lambda: self.timeouts)
        self._register()

    def unlock(self) -> None:
        """See `Service`: the node's key is this service's alone."""
        config = self.config
        self.secret = read_key(config.key, config.passphrase)
        if self.crypto.public_key(self.secret) != self.key:
            raise ConfigError(f"key: {config.key} is not the key of the node that {config.id_file} names")

    async def work(self, task_status: trio.TaskStatus[None]) -> None:
        """See `Service`. A connection to the manager is one life of the engine: the next starts from the store."""
        async with self._manager:
            task_status.started()  # what comes next waits for room on a full disk
            try:
                await self._begin_log()
                self._trouble = UNRECORDED
                await self.votes.count_start(clock_ms())
            except StoreDamaged:
                self._trouble = UNRECORDABLE
                raise  # nothing is signed
            self._trouble = NOT_YET
            await self._connect()

    async def _connect(self) -> None:
        """Connect to the manager, again and again."""
        url = self.config.manager_url.replace("http", "ws", 1) + PATH
        trust = self.config.trust()
        while True:
            try:
                async with open_websocket(url, {"Authorization": f"Bearer {self.config.token}"}, trust) as frames:
                    await frames.send(encode(Greeting(self.genesis.chain_id, self.key)))
                    self._link = Link(
                        frames, FROM_MANAGER, {CertificateWanted: self._on_wanted, Farewell: self._on_parting}
                    )
                    await self._live(self._link)
            except* (ConnectionLost, Refusal) as group:
                error = next(_leaves(group))
                plain = error.plain if isinstance(error, ConnectionLost) else str(error)
                if plain != self._trouble:
                    _log.warning("the manager is away: %s", error)
                self._trouble = plain
            except* LogOutdated:
                if self.votes.elsewhere is not None:
                    self._trouble = "it is not asked any more: the key is used elsewhere"
            finally:
                self.engine = self.driver = self._link = None
                self._asking.give_up()
            await self.store.drained()
            if self.votes.elsewhere is not None:
                return
            await trio.sleep(RECONNECT_S)

    def _reach(self) -> str | None:
        """Why the manager is not reached, or not asked."""
        if self.engine is None:
            if self._trouble not in (UNRECORDED, UNRECORDABLE):
                return f"manager: {self._trouble}"
            beside = "" if self.votes.uncounted is None else f" in the data folder ({self.votes.uncounted})"
            return f"{self._trouble}{beside}"
        if self._link is not None and self._link.silent:
            return "manager: it says nothing"
        return None

    async def _seek_vote(self, since: int, until: int) -> SeenVote | None:
        """See `Seek`. Raises `ConnectionLost`: it is asked again."""
        try:
            found = await self._manager.get(f"/node/votes/{self.key.hex()}?since={since}&until={until}")
            return None if found is None else msgspec.convert(found, SeenVote)
        except (Problem, msgspec.ValidationError) as error:
            raise ConnectionLost(f"which votes the chain holds is not known: {error}") from None

    def _too_old(self) -> Condition | None:
        """Whether it has stopped: the chain goes on under rules that it does not know."""
        halt = None if self.engine is None else self.engine.halted
        return None if halt is None else too_old(halt.height, halt.rules)

    async def _on_wanted(self, wanted: CertificateWanted) -> None:
        """Vouch for the manager's transport key. What comes next on the link does not wait for that."""
        assert self._tasks is not None, "the link runs"
        self._tasks.start_soon(self._certify, wanted.transport)

    async def _on_parting(self, parting: Farewell) -> None:
        """The manager cannot talk with this engine, and says why."""
        raise ConnectionLost(parting.why)

    async def _certify(self, transport: bytes) -> None:
        certificate = await self._certifier.certify(transport, clock_ms())
        if self._link is not None:
            self._link.say(CertificateGiven(certificate))

    async def _begin_log(self) -> None:
        """A key that never signed anything gets its log of votes, once."""
        mark = unused(self.config.key)
        if not mark.exists():
            return
        if await self.store.read_when_there(self.store.get, VOTES_TABLE, LATEST_KEY) is None:
            await self.store.write([new_log()])
        mark.unlink()

    async def _live(self, link: Link) -> None:
        engine = await self.store.read_when_there(Engine, self.secret, self.genesis, self.crypto, self.store)
        table: dict[type, Performer] = {Forward: link.tell, Respond: self._asking.answer, Observe: self._observe}
        performers = complete(table, elsewhere=(*DRIVEN, *REPLICATING, Send, Broadcast, Submit))
        async with open_journal(self.config.journal, "engine", self.genesis, self.key, (), self.store) as journal:
            driver = Driver(engine, self.store, performers, journal)
            async with trio.open_nursery() as nursery:
                await nursery.start(driver.run, Started())
                self.engine, self.driver, self._tasks = engine, driver, nursery

                async def deliver(event: Any) -> None:
                    await self.votes.check(engine, event, self.signed > 0, clock_ms())
                    await driver.deliver(event)

                await link.run(deliver)

    def _observe(self, effect: Observe) -> None:
        match effect.fact:
            case Signed(vote=vote):
                self.signed += 1
                self.votes.signed(vote)
            case TimedOut():
                self.timeouts += 1
            case Evicted():
                self.evicted += 1

    def _waiting(self) -> int:
        return 0 if self.engine is None else len(self.engine.admission.mempool)

    # -- what it answers -----------------------------------------------------------------------------------------

    async def submit(self, payload: Payload) -> bytes:
        """Hand a payload to the machine; returns the transaction's id once it is durable. Raises `LucidError`."""
        if self.driver is None:
            raise Problem(Code.UNAVAILABLE, self._trouble)
        self.check_store()
        driver = self.driver
        answer = await self._asking.ask(lambda number: driver.deliver(Submitted(number, payload)))
        if answer.refusal is not None:
            raise Problem(answer.refusal)
        return answer.transaction

    def _register(self) -> None:
        self._register_transactions()
        ClaimRoutes(self._claims, self.submit).register(self.web)
        self._register_consensus()

    def _register_transactions(self) -> None:
        """What is handed in, and where it is."""
        route = self.web.route

        manifest = example_manifest(self.genesis.chain_id, self.crypto)
        anchor = check_manifest(manifest, self.genesis.chain_id, self.crypto).anchor

        @route(
            "POST",
            "/transactions",
            "Submit",
            takes=Submission,
            gives=Accepted,
            status=202,
            access=WRITE,
            example={"payload": encode(anchor).hex()},
        )
        async def submit(body: Submission) -> Accepted:
            try:
                payload: Any = decode(bytes.fromhex(body.payload), Payload)  # type: ignore[arg-type]
            except ValueError:
                raise Problem(Code.REQUEST, "payload must be hexadecimal") from None
            return Accepted((await self.submit(payload)).hex())

        @route("GET", "/transactions/<identity>", "Where a transaction is", gives=TransactionState)
        async def transaction(identity: str) -> TransactionState:
            key = hex_bytes(identity, 32, "id")
            found = await self._manager.get(f"/node/transactions/{identity}")
            if found is not None:
                return TransactionState(identity, "final" if found["final"] else "included", found["height"])
            if self.engine is None or key not in self.engine.admission.mempool:
                raise Problem(Code.NOT_FOUND, "transaction")
            return TransactionState(identity, "pending")

    def _register_consensus(self) -> None:
        """Where the engine stands, and what the chain says of leaders."""
        route = self.web.route

        @route("GET", "/consensus/status", "Where the engine stands", gives=ConsensusStatus)
        async def status() -> ConsensusStatus:
            engine = self.engine
            epoch, view = (0, 0) if engine is None else engine.view
            return ConsensusStatus(
                node=self.key.hex(),
                connected=engine is not None,
                epoch=epoch,
                view=view,
                validator=engine is not None and self.key in engine.admission.validators,
                timeout_ms=0 if engine is None else engine.timeout.current_ms,
                mempool=self._waiting(),
                height=0 if engine is None else engine.admission.height,
            )

        @route(
            "GET",
            "/consensus/schedule",
            "Who leads in a slot (the current one), best first",
            query=SLOT,
            gives=SlotSchedule,
        )
        async def schedule() -> Any:
            asked = "&".join(f"{key}={query_number(key, 0, 0, 2**53)}" for key in SLOT if key in request.args)
            return self._known(await self._manager.get(f"/node/schedule?{asked}"))

        @route("GET", "/consensus/credits", "What each member's work counts for", gives=Credits)
        async def credits() -> Any:
            return self._known(await self._manager.get("/node/credits"))

        @route("GET", "/chain/info", "The chain and its height", gives=ChainInfo)
        async def info() -> Any:
            return self._known(await self._manager.get("/node/info"))

    @staticmethod
    def _known(answer: Any) -> Any:
        if answer is None:
            raise Problem(Code.NOT_FOUND)
        return json_response(answer)


def _leaves(group: BaseExceptionGroup[BaseException]) -> Any:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


if __name__ == "__main__":
    main(EngineService)
