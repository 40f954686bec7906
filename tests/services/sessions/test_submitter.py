"""Every anchor that the machine hands in is asked of the engine once, and answered once, whatever the engine says."""

from __future__ import annotations

from typing import Any, cast

import pytest
import trio

from lucid.chain.errors import Code
from lucid.chain.transactions import SessionAnchor
from lucid.machines.anchoring import MAX_HANDED
from lucid.machines.effects import AnchorAnswered, SessionSettled, Submit
from lucid.services.process.driver import Driver
from lucid.services.process.sibling import Sibling
from lucid.services.sessions.anchored import AnchoredSessions
from lucid.services.sessions.submitter import Submitter
from lucid.services.web.problems import Problem
from tests.machines.test_anchoring import anchor

AWAY = Problem(Code.UNAVAILABLE, "it cannot be reached")


def error(code: Code) -> dict[str, Any]:
    """What a service answers with."""
    return {"error": {"code": code.code}}


class Engine:
    """An engine that answers so, or is away; counts what it is asked."""

    def __init__(self, status: int, said: Any) -> None:
        self.status = status
        self.said = said
        self.asked = 0

    async def ask(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        """See `Sibling`."""
        self.asked += 1
        await trio.lowlevel.checkpoint()
        if isinstance(self.said, Problem):
            raise self.said
        return self.status, self.said


class Chain:
    """A manager that holds nothing, holds the session, or is away."""

    def __init__(self, held: SessionSettled | Problem | None = None) -> None:
        self.held = held

    async def settled(self, of: SessionAnchor) -> SessionSettled | None:
        """See `AnchoredSessions`."""
        if isinstance(self.held, Problem):
            raise self.held
        return self.held


class Inbox:
    """A driver that keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    async def deliver(self, event: Any) -> None:
        """See `Driver`."""
        self.told.append(event)


def submitter(engine: Engine, chain: Chain) -> Submitter:
    """One between these two."""
    return Submitter(cast(Sibling, engine), cast(AnchoredSessions, chain))


@pytest.mark.parametrize(
    ("status", "said", "refusal"),
    [
        (202, {}, None),
        (409, error(Code.MEMPOOL_KNOWN), Code.MEMPOOL_KNOWN),
        (400, error(Code.TX_FIELD), Code.TX_FIELD),
        (503, error(Code.MEMPOOL_FULL), Code.MEMPOOL_FULL),
        (503, error(Code.STORE_FAILED), Code.UNAVAILABLE),
        (401, error(Code.TOKEN), Code.UNAVAILABLE),
        (429, error(Code.TOO_MANY), Code.UNAVAILABLE),
        (500, {"error": "none of ours"}, Code.UNAVAILABLE),
        (400, [], Code.UNAVAILABLE),
        (0, AWAY, Code.UNAVAILABLE),
    ],
    ids=lambda each: getattr(each, "name", str(each)),
)
async def test_an_engine_is_asked_once_and_what_it_says_is_told(status: int, said: Any, refusal: Code | None) -> None:
    engine = Engine(status, said)
    found = await submitter(engine, Chain()).outcome(Submit(anchor(1), False))
    assert found == AnchorAnswered(anchor(1).identity, refusal)
    assert engine.asked == 1, "trying again is the machine's"


async def test_what_was_handed_in_before_is_looked_up_on_the_chain_first() -> None:
    engine, held = Engine(202, {}), SessionSettled(anchor(1).identity, bytes(32), 7)
    assert await submitter(engine, Chain(held)).outcome(Submit(anchor(1), True)) == held
    away = await submitter(engine, Chain(AWAY)).outcome(Submit(anchor(1), True))
    assert away == AnchorAnswered(anchor(1).identity, Code.UNAVAILABLE)
    assert engine.asked == 0


async def test_as_many_as_the_machine_hands_in_find_room_and_each_is_answered() -> None:
    inbox, middle = Inbox(), submitter(Engine(0, AWAY), Chain())
    for number in range(MAX_HANDED):
        middle.submit(Submit(anchor(number), False))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(middle.run, cast(Driver, inbox))
        with trio.fail_after(60):
            while len(inbox.told) < MAX_HANDED:
                await trio.sleep(0.001)
        nursery.cancel_scope.cancel()
    assert {each.session for each in inbox.told} == {anchor(number).identity for number in range(MAX_HANDED)}
    assert len(inbox.told) == MAX_HANDED


def test_one_more_than_that_is_loud() -> None:
    middle = submitter(Engine(202, {}), Chain())
    for number in range(MAX_HANDED):
        middle.submit(Submit(anchor(number), False))
    with pytest.raises(trio.WouldBlock):
        middle.submit(Submit(anchor(MAX_HANDED), False))
