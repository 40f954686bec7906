"""Session anchoring's service (port 8085): takes sessions durably, sees them onto the chain. Run with `python -m`."""

from __future__ import annotations

import uuid
from contextlib import suppress
from typing import Any

import msgspec
import trio
from quart import Response

from lucid.chain.codec import encode
from lucid.chain.errors import Code, Refusal
from lucid.chain.manifests import MAX_MANIFEST_BYTES, Checked, Manifest, check_manifest
from lucid.chain.receipts import MAX_RECEIPT_BYTES, verify_receipt, with_manifest
from lucid.chain.transactions import SessionAnchor
from lucid.client.answers import Anchored, SessionState
from lucid.machines.anchoring import Anchoring, SessionRow, Status
from lucid.machines.effects import AnchorAnswered, AnchorAsked, BlockSettled, Respond, SessionSettled, Started, Submit
from lucid.services.asking import Asking
from lucid.services.config import Config
from lucid.services.driver import Driver, Performer
from lucid.services.journals import open_journal
from lucid.services.service import Service, main
from lucid.services.sibling import Sibling
from lucid.services.web import REACHING, WRITE, Problem, query_checkpoint, read_body

SUBMITTERS = 8
"""Anchors on their way to the engine at once."""
SUBMIT_QUEUE = 2_000
"""Anchors that wait for that; what finds no room is handed in again later."""
WAIT_MS = 20_000
"""How long the manager holds back its answer while there is no new block."""
RETRY_S = 0.25
PROBE_S = 2.0
INLINE_BYTES = 64 << 10
"""Manifests up to this size are checked without a thread."""


class Verification(msgspec.Struct, frozen=True):
    """What a receipt proves, or why it proves nothing. Times in ms since the Unix epoch."""

    valid: bool
    session: str | None = None
    transaction: str | None = None
    height: int | None = None
    block: str | None = None
    time_ms: int | None = None
    code: str | None = None
    message: str | None = None


class AnchoringService(Service):
    """Session anchoring: takes sessions durably and sees them onto the chain."""

    name = "session-anchoring"
    file = "anchoring"
    port = 8085

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.machine = Anchoring(self.store)
        self.manager = Sibling("manager", config.manager_url, config)
        self.engine = Sibling("engine", config.engine_url, config)
        self.driver: Driver | None = None
        self._asking = Asking()
        self._submits, self._submitting = trio.open_memory_channel[Submit](SUBMIT_QUEUE)
        self.web.checks += [lambda: self.manager.trouble, lambda: self.engine.trouble]
        self.web.gauge("anchoring_queue", "Sessions that are not final yet.", lambda: len(self.machine.pending))
        self.web.gauge("anchoring_height", "Last final block seen.", lambda: self.machine.followed)
        self._register()

    async def work(self, task_status: trio.TaskStatus[None]) -> None:
        """See `Service`."""
        performers: dict[type, Performer] = {Respond: self._asking.answer, Submit: self._submit}
        with open_journal(self.config.journal, "anchoring", self.genesis, self.key, (), self.store) as journal:
            async with self.manager, self.engine, trio.open_nursery() as nursery:
                self.driver = Driver(self.machine, self.store, performers, journal)
                await nursery.start(self.driver.run, Started())
                nursery.start_soon(self._follow, self.driver)
                nursery.start_soon(self._probe)
                for _ in range(SUBMITTERS):
                    nursery.start_soon(self._hand_in, self.driver)
                task_status.started()

    # -- what the machine wants ----------------------------------------------------------------------------------

    def _submit(self, effect: Submit) -> None:
        with suppress(trio.WouldBlock):  # the machine hands it in again
            self._submits.send_nowait(effect)

    async def _hand_in(self, driver: Driver) -> None:
        async for effect in self._submitting:
            event: AnchorAnswered | SessionSettled | None = None
            while event is None:
                try:
                    event = await self._outcome(effect)
                except Problem:
                    await trio.sleep(RETRY_S)
            await driver.deliver(event)

    async def _outcome(self, effect: Submit) -> AnchorAnswered | SessionSettled:
        """What becomes of an anchor that is handed in. Raises `Problem` while a service is away."""
        if effect.again and (settled := await self._settled(effect.anchor)) is not None:
            return settled
        return AnchorAnswered(effect.anchor.session, await self._engine_takes(effect.anchor))

    async def _engine_takes(self, anchor: SessionAnchor) -> Code | None:
        """Hand an anchor to the engine; returns its refusal. Raises `Problem` when it is away."""
        status, answer = await self.engine.ask("POST", "/transactions", {"payload": encode(anchor).hex()})
        if status == 202:
            return None
        try:
            code = msgspec.convert(int(answer["error"]["code"].removeprefix("LUCID_ERR_")), Code)
        except (ValueError, KeyError, TypeError, msgspec.ValidationError):
            raise Problem(503, Code.UNAVAILABLE, f"engine answers {status}") from None
        if status not in (400, 409) and code is not Code.MEMPOOL_FULL:
            raise Problem(503, code)
        return code

    async def _settled(self, anchor: SessionAnchor) -> SessionSettled | None:
        """How the chain holds a session, if it does."""
        found = await self.manager.get(f"/node/sessions/{anchor.session.hex()}")
        if found is None:
            return None
        return SessionSettled(anchor.session, bytes.fromhex(found["transaction"]), found["height"])

    async def _follow(self, driver: Driver) -> None:
        """Tell the machine of final blocks, for ever."""
        after = self.machine.followed
        while True:
            try:
                found = await self.manager.get(f"/node/final?after={after}&wait_ms={WAIT_MS}", WAIT_MS / 1000 + 5)
            except Problem:
                await trio.sleep(RETRY_S)
                continue
            for block in (found or {"blocks": ()})["blocks"]:
                ids = tuple(bytes.fromhex(each) for each in block["transactions"])
                await driver.deliver(BlockSettled(block["height"], ids))
                after = block["height"]
            if found is not None and not found["blocks"] and found["height"] > after:
                after = found["height"]  # blocks before a snapshot, which nobody here holds

    async def _probe(self) -> None:
        """Notice whether engine and manager are there although there is nothing to hand in and no block comes."""
        while True:
            for sibling in (self.engine, self.manager):
                with suppress(Problem):
                    await sibling.get("/ready")
            away = self.engine.trouble or self.manager.trouble
            await trio.sleep(RETRY_S if away else PROBE_S)

    # -- what it answers -----------------------------------------------------------------------------------------

    def _register(self) -> None:
        route = self.web.route

        @route("POST", "/anchor-session", "Anchor a session", raw=Manifest, gives=Anchored, status=202, access=WRITE)
        async def anchor() -> Anchored:
            checked = await self._check(await read_body(MAX_MANIFEST_BYTES))
            transaction = await self._accept(checked)
            row = self.machine.row(checked.anchor.session)
            return Anchored(checked.manifest.session, transaction.hex(), _status(row))

        @route("GET", "/sessions/<session>", "Where a session is", gives=SessionState)
        async def state(session: str) -> SessionState:
            return await self._state(_session(session))

        @route("GET", "/sessions/<session>/manifest", "A session's manifest", gives=Manifest)
        async def manifest(session: str) -> Response:
            found = self.machine.manifest(_session(session))
            if found is None:
                raise Problem(404, Code.SESSION_UNKNOWN, "no manifest of it is held here")
            return Response(found, content_type="application/json")

        @route(
            "GET", "/sessions/<session>/receipt", "What proves a final session, to be verified offline", query=REACHING
        )
        async def receipt(session: str) -> Response:
            found = await self._receipt(_session(session), query_checkpoint())
            return Response(found, content_type="application/json")

        @route("POST", "/verify", "Say what a receipt proves", raw=dict, gives=Verification)
        async def verify() -> Verification:
            return await trio.to_thread.run_sync(self._verify, await read_body(MAX_RECEIPT_BYTES))

    async def _check(self, data: bytes) -> Checked:
        def check() -> Checked:
            return check_manifest(data, self.genesis.chain_id, self.crypto)

        return check() if len(data) <= INLINE_BYTES else await trio.to_thread.run_sync(check)

    async def _accept(self, checked: Checked) -> bytes:
        """Hand a session to the machine; returns its transaction's id once it is durable. Raises `Problem`."""
        if self.driver is None:
            raise Problem(503, Code.UNAVAILABLE, "starting")
        if self.store.trouble is not None:
            raise Problem(503, Code.STORE_FULL, self.store.trouble)
        driver = self.driver
        answer = await self._asking.ask(
            lambda number: driver.deliver(AnchorAsked(number, checked.canonical, checked.anchor))
        )
        if answer.refusal is not None:
            raise Problem(503 if answer.refusal is Code.TOO_MANY else 409, answer.refusal)
        return answer.transaction

    async def _state(self, session: bytes) -> SessionState:
        name = str(uuid.UUID(bytes=session))
        row = self.machine.row(session)
        if row is None:
            found = await self.manager.get(f"/node/sessions/{session.hex()}")
            if found is None:
                raise Problem(404, Code.SESSION_UNKNOWN)
            return SessionState(name, "final", found["transaction"], found["height"])
        transaction = row.transaction.hex()
        if row.status is Status.FAILED:
            code = msgspec.convert(row.failure, Code)
            return SessionState(name, "failed", transaction, None, row.accepted_ms, code.code, code.sentence)
        if row.status is Status.FINAL:
            return SessionState(name, "final", transaction, row.height, row.accepted_ms)
        try:
            found = await self.manager.get(f"/node/transactions/{transaction}")
        except Problem:
            found = None
        status = "pending" if found is None else "included"
        return SessionState(name, status, transaction, None if found is None else found["height"], row.accepted_ms)

    async def _receipt(self, session: bytes, checkpoint: bytes | None) -> bytes:
        state = await self._state(session)
        if state.status != "final":
            raise Problem(409 if state.status == "failed" else 404, Code.SESSION_UNKNOWN, f"it is {state.status}")
        reach = "" if checkpoint is None else f"?checkpoint={checkpoint.hex()}"
        status, document = await self.manager.fetch(f"/receipts/{state.transaction}{reach}")
        if checkpoint is not None and status in (404, 409):
            raise Problem(status, Code.RECEIPT_CHECKPOINT, "no final block here that is near enough has that hash")
        if status != 200:
            raise Problem(503, Code.UNAVAILABLE, f"manager answers {status}")
        manifest = self.machine.manifest(session)
        return document if manifest is None else await trio.to_thread.run_sync(with_manifest, document, manifest)

    def _verify(self, data: bytes) -> Verification:
        try:
            verified = verify_receipt(data, self.genesis, self.crypto)
        except Refusal as refusal:
            return Verification(False, code=refusal.code.code, message=str(refusal))
        payload: Any = verified.transaction.payload
        session = str(uuid.UUID(bytes=payload.session)) if isinstance(payload, SessionAnchor) else None
        return Verification(
            True,
            session,
            verified.transaction.id.hex(),
            verified.height,
            verified.hash.hex(),
            verified.time_ms,
        )


def _session(text: str) -> bytes:
    try:
        return uuid.UUID(text).bytes
    except ValueError:
        raise Problem(400, Code.REQUEST, "session must be a UUID") from None


def _status(row: SessionRow | None) -> str:
    return "pending" if row is None else row.status.name.lower()


if __name__ == "__main__":
    main(AnchoringService)
