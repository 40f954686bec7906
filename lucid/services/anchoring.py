"""Session anchoring's service (port 8085): takes sessions durably, sees them onto the chain. Run with `python -m`."""

from __future__ import annotations

import uuid
from collections import deque
from contextlib import suppress
from itertools import islice
from typing import Any

import msgspec
import trio
from msgspec.structs import replace
from quart import Response

from lucid.api.answers import Anchored, SessionState, SessionsWaiting
from lucid.api.errors import BUSY, CONFLICT, read_code
from lucid.api.services import ANCHORING
from lucid.chain.codec import encode
from lucid.chain.errors import Code, Refusal
from lucid.chain.manifests import MAX_MANIFEST_BYTES, CheckedManifest, Manifest, check_manifest, example_manifest
from lucid.chain.receipts import verify_receipt, with_manifest
from lucid.chain.transactions import SessionAnchor, Transaction
from lucid.chain.versions import HOLDING_RULES
from lucid.machines.anchoring import SESSION_TABLE, Anchoring, SessionRow, Status
from lucid.machines.effects import (
    AnchorAnswered,
    AnchorAsked,
    BlockSettled,
    Broadcast,
    Forward,
    Observe,
    Respond,
    Send,
    SessionSettled,
    Started,
    Submit,
)
from lucid.machines.performing import complete
from lucid.services.chain.chainview import MAX_OWNERS
from lucid.services.process.config import Config
from lucid.services.process.driver import DRIVEN, Driver, Performer
from lucid.services.process.journals import open_journal
from lucid.services.process.service import Service, main
from lucid.services.process.sibling import Sibling
from lucid.services.web.admission import WRITE
from lucid.services.web.asking import Asking
from lucid.services.web.bodies import explained
from lucid.services.web.costly import Costly
from lucid.services.web.problems import Problem
from lucid.services.web.web import OWNED, REACHING, query_checkpoint, query_owner, read_body

SUBMITTERS = 8
"""Anchors on their way to the engine at once."""
SUBMIT_QUEUE = 2_000
"""Anchors that wait for that; what finds no room is handed in again later."""
WAIT_MS = 20_000
"""How long the manager holds back its answer while there is no new block."""
RETRY_S = 0.25
PROBE_S = 2.0
MAX_VERIFIED_BYTES = 512 << 10
"""Receipts up to this size are verified for whoever asks: reading JSON lets nothing else run for as long
as it takes. `lucid verify` takes larger ones, at its caller's cost."""
MAX_SHOWN = 100
"""Sessions that wait, or have failed, that are listed."""
ID_BYTES = 16
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
    owner: str | None = None


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
        self._failed: deque[bytes] = deque(maxlen=MAX_SHOWN)
        """Sessions that have failed since the start, as far as they are shown."""
        self.at_end.append(self._asking.give_up)
        self._submits, self._submitting = trio.open_memory_channel[Submit](SUBMIT_QUEUE)
        self.web.checks += [lambda: self.manager.trouble, lambda: self.engine.trouble]
        self.web.gauge("anchoring_queue", "Sessions that are not final yet.", lambda: len(self.machine.pending))
        self.web.gauge("anchoring_height", "Last final block seen.", lambda: self.machine.followed)
        self._register()

    def may_begin_anew(self, used: bool) -> bool:
        """See `Service`. Sessions that it took and did not yet see onto the chain would be forgotten."""
        return not used

    async def work(self, task_status: trio.TaskStatus[None]) -> None:
        """See `Service`."""
        table: dict[type, Performer] = {Respond: self._asking.answer, Submit: self._submit}
        performers = complete(table, elsewhere=(*DRIVEN, Send, Broadcast, Forward, Observe))
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
            if isinstance(event, AnchorAnswered) and event.refusal is not None:
                await self._note_failure(driver, event.session)

    async def _note_failure(self, driver: Driver, session: bytes) -> None:
        """Remember a session that has failed; a refusal that passes is not a failure."""
        if not await driver.inspect(lambda: session in self.machine.pending):
            self._failed.append(session)

    async def _outcome(self, effect: Submit) -> AnchorAnswered | SessionSettled:
        """What becomes of an anchor that is handed in. Raises `Problem` while a service is away."""
        if effect.again and (settled := await self._settled(effect.anchor)) is not None:
            return settled
        return AnchorAnswered(effect.anchor.identity, await self._engine_takes(effect.anchor))

    async def _engine_takes(self, anchor: SessionAnchor) -> Code | None:
        """Hand an anchor to the engine; returns its refusal. Raises `Problem` when it is away."""
        status, answer = await self.engine.ask("POST", "/transactions", {"payload": encode(anchor).hex()})
        if status == 202:
            return None
        try:
            code = read_code(answer["error"]["code"])
        except (ValueError, KeyError, TypeError):
            raise Problem(Code.UNAVAILABLE, f"engine answers {status}") from None
        if status not in (400, 409) and code is not Code.MEMPOOL_FULL:
            raise Problem(code, status=BUSY)
        return code

    async def _settled(self, anchor: SessionAnchor) -> SessionSettled | None:
        """How the chain holds a session, if it does."""
        found = await self._on_chain(anchor.session, anchor.owner)
        with self.manager.understood():
            if not found:
                return None
            transaction = found[0]["transaction"]
            if transaction is None:
                # Its block is older than those of a manager that began with a snapshot; what was anchored tells.
                if found[0].get("root") != anchor.root.hex():
                    return None
                transaction = Transaction(anchor, b"", 0, b"").id.hex()
            return SessionSettled(anchor.identity, bytes.fromhex(transaction), found[0]["height"])

    async def _on_chain(self, session: bytes, owner: bytes) -> list[dict[str, Any]]:
        """How the chain holds the sessions of an id, or one owner's if `owner` is not empty. Raises `Problem`."""
        mine = f"?owner={owner.hex()}" if owner else ""
        found = await self.manager.get(f"/node/sessions/{session.hex()}{mine}")
        with self.manager.understood():
            return [] if found is None else list(found["sessions"])

    async def _follow(self, driver: Driver) -> None:
        """Tell the machine of final blocks, forever."""
        after = self.machine.followed
        while True:
            try:
                settled, height = await self._finals(after)
            except Problem:
                await trio.sleep(RETRY_S)
                continue
            for block in settled:
                await driver.deliver(block)
                after = block.height
            if not settled and height > after:
                after = height  # blocks before a snapshot, which nobody here holds

    async def _finals(self, after: int) -> tuple[list[BlockSettled], int]:
        """Final blocks above a height, and how far the manager knows them. Raises `Problem`."""
        found = await self.manager.get(f"/node/final?after={after}&wait_ms={WAIT_MS}", WAIT_MS / 1000 + 5)
        if found is None:
            return [], after
        with self.manager.understood():
            blocks = [
                BlockSettled(int(each["height"]), tuple(bytes.fromhex(one) for one in each["transactions"]))
                for each in found["blocks"]
            ]
            return blocks, int(found["height"])

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
            row = await self.store.read(self.machine.row, checked.anchor.identity)
            return Anchored(checked.manifest.session, transaction.hex(), _status(row))

        @route("GET", "/sessions", "Sessions taken here that are not final: newest first", gives=SessionsWaiting)
        async def waiting() -> SessionsWaiting:
            if self.driver is None:
                raise Problem(Code.UNAVAILABLE, "starting")
            count, newest = await self.driver.inspect(self._newest)
            names = [*newest, *reversed(self._failed)]
            rows = await self.store.read(lambda: [(name, self.machine.row(name)) for name in names])
            return SessionsWaiting(count, tuple(_state(name, row) for name, row in rows if row is not None))

        @route("GET", "/sessions/<session>", "Where a session is", gives=SessionState, query=OWNED)
        async def state(session: str) -> SessionState:
            return await self._state(*await self._named(session))

        @route("GET", "/sessions/<session>/manifest", "A session's manifest", gives=Manifest, query=OWNED)
        async def manifest(session: str) -> Response:
            identity, owner = await self._named(session)
            found = await self.store.read(self.machine.manifest, identity + owner)
            if found is None:
                await self._state(identity, owner)
                raise Problem(Code.NOT_FOUND, "the session's manifest, which the node that took it holds")
            return Response(found, content_type="application/json")

        @route(
            "GET",
            "/sessions/<session>/receipt",
            "What proves a final session, to be verified offline",
            query={**OWNED, **REACHING},
        )
        async def receipt(session: str) -> Response:
            found = await self._receipt(*await self._named(session), query_checkpoint())
            return Response(found, content_type="application/json")

        @route("POST", "/verify", "Say what a receipt proves", raw=dict, gives=Verification)
        async def verify() -> Verification:
            return await self._costly.run(self._verify, await read_body(MAX_VERIFIED_BYTES))

    async def _check(self, data: bytes) -> CheckedManifest:
        def check() -> CheckedManifest:
            try:
                return check_manifest(data, self.genesis.chain_id, self.crypto)
            except Refusal as refusal:
                raise (explained(refusal, data, Manifest) if refusal.code is Code.MANIFEST else refusal) from None

        return check() if len(data) <= INLINE_BYTES else await self._costly.run(check)

    async def _accept(self, checked: CheckedManifest) -> bytes:
        """Hand a session to the machine; returns its transaction's id once it is durable. Raises `Problem`."""
        if self.driver is None:
            raise Problem(Code.UNAVAILABLE, "starting")
        self.check_store()
        driver = self.driver
        answer = await self._asking.ask(
            lambda number: driver.deliver(AnchorAsked(number, checked.canonical, checked.anchor))
        )
        if answer.refusal is not None:
            raise Problem(answer.refusal, status=BUSY if answer.refusal is Code.TOO_MANY else CONFLICT)
        return answer.transaction

    async def _named(self, text: str) -> tuple[bytes, bytes]:
        """Id and owner of the session that a request names. Raises `Problem` where the id alone has several owners."""
        session, owner = _session(text), query_owner()
        if owner:
            return session, owner
        owners = set(await self.store.read(self._owners_here, session))
        try:
            owners |= {bytes.fromhex(each["owner"]) for each in await self._on_chain(session, b"")}
        except Problem:
            if not owners:
                raise
        if not owners:
            raise Problem(Code.SESSION_UNKNOWN)
        if len(owners) > 1:
            keys = sorted(owner.hex() for owner in owners)
            raise Problem(Code.SESSION_OWNERS, f"?owner={' or '.join(keys)}", {"owners": keys})
        return session, owners.pop()

    def _newest(self) -> tuple[int, list[bytes]]:
        """How many sessions wait for finality, and the newest of them."""
        pending = self.machine.pending
        return len(pending), list(islice(reversed(pending), MAX_SHOWN))

    def _owners_here(self, session: bytes) -> list[bytes]:
        """The owners whose sessions of this id were accepted here."""
        found = self.store.scan(SESSION_TABLE, session, MAX_OWNERS)
        return [key[len(session) :] for key, _ in found if key.startswith(session)]

    async def _state(self, session: bytes, owner: bytes) -> SessionState:
        row = await self.store.read(self.machine.row, session + owner)
        if row is None:
            held = await self._on_chain(session, owner)
            if not held:
                raise Problem(Code.SESSION_UNKNOWN)
            transaction, height = held[0]["transaction"], held[0]["height"]
            final = SessionState(str(uuid.UUID(bytes=session)), "final", transaction, height, owner=owner.hex())
            return await self._with_copies(session + owner, final)
        state = _state(session + owner, row)
        if state.status != "pending":
            return state if state.status != "final" else await self._with_copies(session + owner, state)
        try:
            found = await self.manager.get(f"/node/transactions/{state.transaction}")
        except Problem:
            found = None
        return state if found is None else replace(state, status="included", height=found["height"])

    async def _with_copies(self, session: bytes, state: SessionState) -> SessionState:
        """The same with the copies that the chain knows of, if its rules have such a thing and the manager is there."""
        with suppress(Problem, msgspec.ValidationError):
            status, answer = await self.manager.ask("POST", "/node/replicas", {"sessions": [session.hex()]})
            found = answer["sessions"][0] if status == 200 else None
            if found is not None and found["rules"] >= HOLDING_RULES:
                return replace(state, copies=found["copies"], copies_wanted=found["wanted"])
        return state

    async def _receipt(self, session: bytes, owner: bytes, checkpoint: bytes | None) -> bytes:
        state = await self._state(session, owner)
        if state.status == "failed":
            raise Problem(Code.SESSION_FAILED, f"{state.code}: {state.message}")
        if state.status != "final":
            raise Problem(Code.SESSION_UNKNOWN, f"not yet: it is {state.status}")
        if state.transaction is None:
            raise Problem(Code.NOT_FOUND, f"its block {state.height}, which is older than this node's first")
        reach = "" if checkpoint is None else f"?checkpoint={checkpoint.hex()}"
        status, document = await self.manager.fetch(f"/receipts/{state.transaction}{reach}")
        if checkpoint is not None and status in (404, 409):
            sentence = "no final block here that is near enough has that hash"
            raise Problem(Code.RECEIPT_CHECKPOINT, sentence, status=status)
        if status != 200:
            raise Problem(Code.UNAVAILABLE, f"manager answers {status}")
        manifest = await self.store.read(self.machine.manifest, session + owner)
        return document if manifest is None else await trio.to_thread.run_sync(with_manifest, document, manifest)

    def _verify(self, data: bytes) -> Verification:
        try:
            verified = verify_receipt(data, self.genesis, self.crypto)
        except Refusal as refusal:
            return Verification(False, code=refusal.code.code, message=str(refusal))
        payload: Any = verified.transaction.payload
        anchor = payload if isinstance(payload, SessionAnchor) else None
        session = None if anchor is None else str(uuid.UUID(bytes=anchor.session))
        return Verification(
            True,
            session,
            verified.transaction.id.hex(),
            verified.height,
            verified.hash.hex(),
            verified.time_ms,
            owner=None if anchor is None else anchor.owner.hex(),
        )


def _state(identity: bytes, row: SessionRow) -> SessionState:
    """What this node alone knows of a session that it took: `pending`, `final` or `failed`."""
    state = SessionState(
        str(uuid.UUID(bytes=identity[:ID_BYTES])),
        "pending",
        row.transaction.hex(),
        accepted_ms=row.accepted_ms,
        owner=identity[ID_BYTES:].hex(),
    )
    if row.status is Status.FAILED:
        code = msgspec.convert(row.failure, Code)
        return replace(state, status="failed", code=code.code, message=code.sentence)
    return replace(state, status="final", height=row.height) if row.status is Status.FINAL else state


def _session(text: str) -> bytes:
    try:
        return uuid.UUID(text).bytes
    except ValueError:
        raise Problem(Code.REQUEST, "session must be a UUID") from None


def _status(row: SessionRow | None) -> str:
    return "pending" if row is None else row.status.name.lower()


if __name__ == "__main__":
    main(AnchoringService)
