"""Sessions that a node took: named without doubt, shown where they are, proven by what the chain and this node hold."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
import trio
from quart import Response, request

from lucid.chain.errors import Code
from lucid.machines.anchoring import Anchoring
from lucid.machines.effects import AnchorAnswered, AnchorAsked, AnchoringEvent, BlockSettled, Store
from lucid.services.chain.sessionsview import MAX_OWNERS
from lucid.services.process.config import load_config
from lucid.services.process.driver import Driver
from lucid.services.process.sibling import Sibling
from lucid.services.sessions.accepted import MAX_SHOWN, AcceptedSessions
from lucid.services.sessions.anchored import AnchoredSessions
from lucid.services.web.problems import Problem
from lucid.storage.durable import DurableStore
from lucid.storage.sqlite import SqliteStore
from tests.machines.test_anchoring import anchor, identity
from tests.services.web.served import served, web

SESSION = (1).to_bytes(16, "big")
NAME = str(uuid.UUID(bytes=SESSION))
OWNER, OTHER = bytes(32), b"o" * 32
EMPTY = dict.fromkeys(("chain", "session", "transaction", "certificate"), "")
COUNTS = {"lucid_receipt": 1, "height": 7, "time_ms": 1, "index": 0, "size": 1}
RECEIPT = msgspec.json.encode({**EMPTY, **COUNTS, "path": [], "headers": [], "closings": []})


class Manager:
    """What a block manager answers, by path; nothing else is there."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, bytes]] = {}
        self.kit = web(token="node")
        for method, path in (
            ("GET", "/node/sessions/<identity>"),
            ("GET", "/node/transactions/<identity>"),
            ("GET", "/receipts/<identity>"),
            ("POST", "/node/replicas"),
        ):
            self.kit.route(method, path, "As the test has it")(self._answer)

    async def _answer(self, identity: str = "") -> Response:
        status, data = self.answers.get(request.full_path.rstrip("?"), (404, b"{}"))
        return Response(data, status, content_type="application/json")

    def holds(self, *owners: bytes, **more: Any) -> None:
        """The chain holds the session of these owners."""
        held = {"height": 7, "transaction": "ab" * 32, "root": "00" * 32} | more
        rows = [held | {"owner": each.hex()} for each in owners]
        whole = 200, msgspec.json.encode({"sessions": rows})
        self.answers[f"/node/sessions/{SESSION.hex()}"] = whole
        for row in rows:
            one = 200, msgspec.json.encode({"sessions": [row]})
            self.answers[f"/node/sessions/{SESSION.hex()}?owner={row['owner']}"] = one


class Node:
    """Session anchoring's machine over its store, with a manager."""

    def __init__(self, store: SqliteStore, manager: Manager, sibling: Sibling) -> None:
        self.inner = store
        self.store = DurableStore(store)
        self.machine = Anchoring(self.store)
        self.manager = manager
        self.accepted = AcceptedSessions(self.store, self.machine, AnchoredSessions(sibling))

    async def tell(self, event: AnchoringEvent, now_ms: int = 0) -> None:
        """The machine handles an event; what it writes is seen at once."""
        for effect in await trio.to_thread.run_sync(self.machine.handle, now_ms, event):
            if isinstance(effect, Store):
                self.inner.write(effect.writes)

    async def take(self, number: int = 1, owner: bytes = OWNER) -> None:
        """A session is accepted."""
        asked = msgspec.structs.replace(anchor(number), owner=owner)
        await self.tell(AnchorAsked(request=number, manifest=b'{"the":"manifest"}', anchor=asked))


@asynccontextmanager
async def node(store: SqliteStore) -> AsyncIterator[Node]:
    """One, and its manager at a port."""
    manager = Manager()
    config = load_config({}, token="node")
    async with served(manager.kit) as (_, port), Sibling("manager", f"http://127.0.0.1:{port}", config) as sibling:
        yield Node(store, manager, sibling)


@asynccontextmanager
async def alone(store: SqliteStore) -> AsyncIterator[Node]:
    """One whose manager is away."""
    async with Sibling("manager", "http://127.0.0.1:9", load_config({}, token="node")) as sibling:
        yield Node(store, Manager(), sibling)


async def refused(asked: Any) -> Problem:
    """The problem that there is instead of an answer."""
    with pytest.raises(Problem) as caught:
        await asked
    return caught.value


# -- which one a request names ---------------------------------------------------------------------------------------


async def test_an_id_names_the_session_of_its_only_owner_here_or_on_the_chain(store: SqliteStore) -> None:
    async with node(store) as here:
        assert (await refused(here.accepted.named(NAME, b""))).code is Code.SESSION_UNKNOWN
        assert await here.accepted.named(NAME, OTHER) == (SESSION, OTHER), "who says whose it is, is taken at his word"
        here.manager.holds(OTHER)
        assert await here.accepted.named(NAME, b"") == (SESSION, OTHER)
        await here.take()
        problem = await refused(here.accepted.named(NAME, b""))
        assert (problem.code, problem.status) == (Code.SESSION_OWNERS, 409)
        assert problem.details == {"owners": [OWNER.hex(), OTHER.hex()]}
        assert await here.accepted.named(NAME, OTHER) == (SESSION, OTHER)
        assert (await refused(here.accepted.named("x", b""))).code is Code.REQUEST


async def test_without_a_manager_what_was_taken_here_is_named(store: SqliteStore) -> None:
    async with alone(store) as here:
        assert (await refused(here.accepted.named(NAME, b""))).status == 503
        await here.take()
        assert await here.accepted.named(NAME, b"") == (SESSION, OWNER)


async def test_neighbors_in_the_store_are_other_sessions_and_many_owners_are_bounded(store: SqliteStore) -> None:
    async with node(store) as here:
        await here.take(2)
        assert (await refused(here.accepted.named(NAME, b""))).code is Code.SESSION_UNKNOWN
        for number in range(MAX_OWNERS + 3):
            await here.take(owner=bytes([number]) * 32)
        problem = await refused(here.accepted.named(NAME, b""))
        assert len(problem.details["owners"]) == MAX_OWNERS


@pytest.mark.parametrize(
    "answer",
    [b"{}", b"[]", b"no", b'{"sessions":[{}]}', b'{"sessions":[{"owner":"x","height":1,"transaction":null}]}'],
)
async def test_a_manager_that_is_something_else_is_told_apart_from_a_fault_here(
    store: SqliteStore, answer: bytes
) -> None:
    async with node(store) as here:
        here.manager.answers[f"/node/sessions/{SESSION.hex()}"] = 200, answer
        here.manager.answers[f"/node/sessions/{SESSION.hex()}?owner={OWNER.hex()}"] = 200, answer
        assert (await refused(here.accepted.named(NAME, b""))).status == 503
        assert (await refused(here.accepted.state(SESSION, OWNER))).status == 503


# -- where it is -----------------------------------------------------------------------------------------------------


async def test_a_session_is_pending_included_final_with_its_copies(store: SqliteStore) -> None:
    async with node(store) as here:
        assert (await refused(here.accepted.state(SESSION, OWNER))).code is Code.SESSION_UNKNOWN
        await here.tell(AnchorAsked(1, b"{}", anchor(1)), now_ms=5)
        transaction = identity(anchor(1))
        pending = await here.accepted.state(SESSION, OWNER)
        assert (pending.status, pending.transaction, pending.accepted_ms) == ("pending", transaction.hex(), 5)
        assert (pending.session, pending.owner, pending.height) == (NAME, OWNER.hex(), None)
        here.manager.answers[f"/node/transactions/{transaction.hex()}"] = 200, b'{"height":6,"final":false}'
        included = await here.accepted.state(SESSION, OWNER)
        assert (included.status, included.height) == ("included", 6)
        await here.tell(BlockSettled(7, (transaction,)))
        here.manager.answers["/node/replicas"] = 200, b'{"sessions":[{"rules":3,"copies":2,"wanted":3}]}'
        final = await here.accepted.state(SESSION, OWNER)
        assert (final.status, final.height, final.copies, final.copies_wanted) == ("final", 7, 2, 3)
        assert await here.accepted.status(SESSION + OWNER) == "final"
        assert await here.accepted.status(bytes(48)) == "pending", "it was accepted this moment"


async def test_one_that_the_engine_refused_says_why(store: SqliteStore) -> None:
    async with node(store) as here:
        await here.take()
        await here.tell(AnchorAnswered(SESSION + OWNER, Code.SESSION_CONFLICT))
        failed = await here.accepted.state(SESSION, OWNER)
        code = Code.SESSION_CONFLICT
        assert (failed.status, failed.code, failed.message) == ("failed", code.code, code.sentence)
        problem = await refused(here.accepted.receipt(SESSION, OWNER, None))
        assert problem.code is Code.SESSION_FAILED and code.code in problem.detail


async def test_one_that_another_node_took_is_as_the_chain_holds_it(store: SqliteStore) -> None:
    async with node(store) as here:
        here.manager.holds(OTHER)
        state = await here.accepted.state(SESSION, OTHER)
        assert (state.status, state.height, state.transaction, state.accepted_ms) == ("final", 7, "ab" * 32, None)
        assert (await refused(here.accepted.manifest(SESSION, OTHER))).code is Code.NOT_FOUND
        assert (await refused(here.accepted.manifest(SESSION, OWNER))).code is Code.SESSION_UNKNOWN
        await here.take()
        assert await here.accepted.manifest(SESSION, OWNER) == b'{"the":"manifest"}'


async def test_those_that_wait_are_listed_newest_first_and_the_failed_ones_after_them(store: SqliteStore) -> None:
    async with node(store) as here:
        driver = Driver(here.machine, here.store, {})
        for number in range(MAX_SHOWN + 3):
            await here.take(number)
        for number in (0, 1):
            await here.tell(AnchorAnswered(anchor(number).identity, Code.SESSION_CONFLICT))
        found = await here.accepted.waiting(driver)
        assert found.waiting == MAX_SHOWN + 1
        newest = [str(uuid.UUID(int=number)) for number in range(MAX_SHOWN + 2, 2, -1)]
        assert [each.session for each in found.sessions] == [*newest, str(uuid.UUID(int=1)), str(uuid.UUID(int=0))]
        assert [each.status for each in found.sessions] == ["pending"] * MAX_SHOWN + ["failed"] * 2


# -- what proves it ---------------------------------------------------------------------------------------------------


async def test_a_receipt_has_the_manifest_where_this_node_took_the_session(store: SqliteStore) -> None:
    async with node(store) as here:
        here.manager.holds(OWNER)
        here.manager.answers[f"/receipts/{'ab' * 32}"] = 200, RECEIPT
        assert await here.accepted.receipt(SESSION, OWNER, None) == RECEIPT
        await here.take()
        early = await refused(here.accepted.receipt(SESSION, OWNER, None))
        assert early.code is Code.SESSION_UNKNOWN and "pending" in early.detail
        transaction = identity(anchor(1))
        await here.tell(BlockSettled(7, (transaction,)))
        here.manager.answers[f"/receipts/{transaction.hex()}"] = 200, RECEIPT
        found = msgspec.json.decode(await here.accepted.receipt(SESSION, OWNER, None))
        assert found["manifest"] == '{"the":"manifest"}'


@pytest.mark.parametrize(
    ("answer", "checkpoint", "code", "status"),
    [
        (404, b"c" * 32, Code.RECEIPT_CHECKPOINT, 404),
        (409, b"c" * 32, Code.RECEIPT_CHECKPOINT, 409),
        (404, None, Code.UNAVAILABLE, 503),
        (500, b"c" * 32, Code.UNAVAILABLE, 503),
    ],
)
async def test_a_receipt_that_cannot_be_had_says_whether_it_is_the_checkpoint_s_fault(
    store: SqliteStore, answer: int, checkpoint: bytes | None, code: Code, status: int
) -> None:
    async with node(store) as here:
        here.manager.holds(OTHER)
        query = "" if checkpoint is None else f"?checkpoint={checkpoint.hex()}"
        here.manager.answers[f"/receipts/{'ab' * 32}{query}"] = answer, b"{}"
        problem = await refused(here.accepted.receipt(SESSION, OTHER, checkpoint))
        assert (problem.code, problem.status) == (code, status)


async def test_a_session_whose_block_is_gone_has_no_receipt_here(store: SqliteStore) -> None:
    async with node(store) as here:
        here.manager.holds(OTHER, transaction=None)
        problem = await refused(here.accepted.receipt(SESSION, OTHER, None))
        assert problem.code is Code.NOT_FOUND and "7" in problem.detail
