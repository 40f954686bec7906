"""Session anchoring's service (port 8085): takes sessions durably, sees them onto the chain. Run with `python -m`."""

from __future__ import annotations

from contextlib import suppress

import msgspec
import trio
from quart import Response

from lucid.api.answers import Anchored, SessionState, SessionsWaiting
from lucid.api.errors import BUSY, CONFLICT
from lucid.api.services import ANCHORING
from lucid.chain.errors import Code, Refusal
from lucid.chain.manifests import MAX_MANIFEST_BYTES, CheckedManifest, Manifest, check_manifest, example_manifest
from lucid.machines.anchoring import Anchoring
from lucid.machines.effects import (
    REPLICATING,
    AnchorAsked,
    Broadcast,
    Forward,
    Observe,
    Respond,
    Send,
    Started,
    Submit,
)
from lucid.machines.performing import complete
from lucid.services.process.config import Config
from lucid.services.process.driver import DRIVEN, Driver, Performer
from lucid.services.process.journals import open_journal
from lucid.services.process.running import main
from lucid.services.process.service import Service
from lucid.services.process.sibling import Sibling
from lucid.services.sessions.accepted import AcceptedSessions
from lucid.services.sessions.anchored import AnchoredSessions
from lucid.services.sessions.sharedmanifests import SharedManifests
from lucid.services.sessions.submitter import Submitter
from lucid.services.sessions.verification import Verification, verification
from lucid.services.web.admission import WRITE
from lucid.services.web.asking import Asking
from lucid.services.web.bodies import explained
from lucid.services.web.costly import Costly
from lucid.services.web.problems import Problem
from lucid.services.web.requested import OWNED, REACHING, query_checkpoint, query_owner, read_body

RETRY_S = 0.25
PROBE_S = 2.0
MAX_VERIFIED_BYTES = 512 << 10
"""Receipts up to this size are verified for whoever asks: reading JSON lets nothing else run for as long
as it takes. `lucid verify` takes larger ones, at its caller's cost."""
INLINE_BYTES = 64 << 10
"""Manifests up to this size are checked without a thread."""


class AnchoringService(Service):
    """Session anchoring: takes sessions durably and sees them onto the chain."""

    listed = ANCHORING

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.machine = Anchoring(self.store)
        self.manager = Sibling("manager", config.manager_url, config)
        self.engine = Sibling("engine", config.engine_url, config)
        self.driver: Driver | None = None
        self._asking = Asking()
        self._costly = Costly()
        self._anchored = AnchoredSessions(self.manager)
        self._accepted = AcceptedSessions(self.store, self.machine, self._anchored)
        self._submitter = Submitter(self.engine, self._anchored)
        self._shared = SharedManifests(
            store=self.store,
            machine=self.machine,
            anchored=self._anchored,
            check=self._check,
            driver=self._running,
        )
        self.at_end.append(self._asking.give_up)
        self.web.checks += [lambda: self.manager.trouble, lambda: self.engine.trouble]
        self.web.gauge("anchoring_queue", "Sessions that are not final yet.", lambda: len(self.machine.pending))
        self.web.gauge("anchoring_height", "Last final block seen.", lambda: self.machine.followed)
        self._register()

    def may_begin_anew(self, used: bool) -> bool:
        """See `Service`. Sessions that it took and did not yet see onto the chain would be forgotten."""
        return not used

    async def work(self, task_status: trio.TaskStatus[None]) -> None:
        """See `Service`."""
        table: dict[type, Performer] = {Respond: self._asking.answer, Submit: self._submitter.submit}
        performers = complete(table, elsewhere=(*DRIVEN, *REPLICATING, Send, Broadcast, Forward, Observe))
        async with (
            open_journal(self.config.journal, "anchoring", self.genesis, self.key, (), self.store) as journal,
            self.manager,
            self.engine,
            trio.open_nursery() as nursery,
        ):
            self.driver = Driver(self.machine, self.store, performers, journal)
            await nursery.start(self.driver.run, Started())
            nursery.start_soon(self._follow, self.driver)
            nursery.start_soon(self._probe)
            nursery.start_soon(self._submitter.run, self.driver)
            task_status.started()

    async def _follow(self, driver: Driver) -> None:
        """Tell the machine of final blocks, forever."""
        after = self.machine.followed
        while True:
            try:
                settled, height = await self._anchored.finals(after)
            except Problem:
                await trio.sleep(RETRY_S)
                continue
            for block in settled:
                await driver.deliver(block)
                after = block.height
            if not settled and height > after:
                after = height  # blocks before a snapshot, which nobody here holds

    async def _probe(self) -> None:
        """Notice whether engine and manager are there although there is nothing to hand in and no block comes."""
        while True:
            for sibling in (self.engine, self.manager):
                with suppress(Problem):
                    await sibling.get("/ready", PROBE_S)
            away = self.engine.trouble or self.manager.trouble
            await trio.sleep(RETRY_S if away else PROBE_S)

    # -- what it answers -----------------------------------------------------------------------------------------

    def _register(self) -> None:
        self._register_anchoring()
        self._register_sessions()
        self._shared.register(self.web)

    def _register_anchoring(self) -> None:
        """What is taken, and what is verified for whoever asks."""
        route = self.web.route
        example = msgspec.json.decode(example_manifest(self.genesis.chain_id, self.crypto))

        @route(
            "POST",
            "/anchor-session",
            "Anchor a session",
            raw=Manifest,
            gives=Anchored,
            status=202,
            access=WRITE,
            example=example,
        )
        async def anchor() -> Anchored:
            checked = await self._check(await read_body(MAX_MANIFEST_BYTES))
            transaction = await self._accept(checked)
            status = await self._accepted.status(checked.anchor.identity)
            return Anchored(checked.manifest.session, transaction.hex(), status)

        @route("POST", "/verify", "Say what a receipt proves", raw=dict, gives=Verification)
        async def verify() -> Verification:
            data = await read_body(MAX_VERIFIED_BYTES)
            if not data:
                raise Problem(Code.REQUEST, "a receipt is required")
            return await self._costly.run(verification, data, self.genesis, self.crypto)

    def _register_sessions(self) -> None:
        """Where sessions are, and what proves them."""
        route = self.web.route

        @route("GET", "/sessions", "Sessions taken here that are not final: newest first", gives=SessionsWaiting)
        async def waiting() -> SessionsWaiting:
            return await self._accepted.waiting(self._running())

        @route("GET", "/sessions/<session>", "Where a session is", gives=SessionState, query=OWNED)
        async def state(session: str) -> SessionState:
            return await self._accepted.state(*await self._accepted.named(session, query_owner()))

        @route("GET", "/sessions/<session>/manifest", "A session's manifest", gives=Manifest, query=OWNED)
        async def manifest(session: str) -> Response:
            found = await self._accepted.manifest(*await self._accepted.named(session, query_owner()))
            return Response(found, content_type="application/json")

        @route(
            "GET",
            "/sessions/<session>/receipt",
            "What proves a final session, to be verified offline",
            query={**OWNED, **REACHING},
        )
        async def receipt(session: str) -> Response:
            named = await self._accepted.named(session, query_owner())
            found = await self._accepted.receipt(*named, query_checkpoint())
            return Response(found, content_type="application/json")

    async def _check(self, data: bytes) -> CheckedManifest:
        def check() -> CheckedManifest:
            try:
                return check_manifest(data, self.genesis.chain_id, self.crypto)
            except Refusal as refusal:
                raise (explained(refusal, data, Manifest) if refusal.code is Code.MANIFEST else refusal) from None

        return check() if len(data) <= INLINE_BYTES else await self._costly.run(check)

    async def _accept(self, checked: CheckedManifest) -> bytes:
        """Hand a session to the machine; returns its transaction's id once it is durable. Raises `Problem`."""
        driver = self._running()
        self.check_store()
        answer = await self._asking.ask(
            lambda number: driver.deliver(AnchorAsked(number, checked.canonical, checked.anchor))
        )
        if answer.refusal is not None:
            raise Problem(answer.refusal, status=BUSY if answer.refusal is Code.TOO_MANY else CONFLICT)
        return answer.transaction

    def _running(self) -> Driver:
        """What runs the machine. Raises `Problem` (503)."""
        if self.driver is None:
            raise Problem(Code.UNAVAILABLE, "starting")
        return self.driver


if __name__ == "__main__":
    main(AnchoringService)
