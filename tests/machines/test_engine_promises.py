"""Whatever an engine is told, in whatever order, through crashes and restarts: it keeps its promises."""

from __future__ import annotations

from typing import Any, assert_never

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from lucid.chain.votes import FINALIZE, NOTARIZE, SKIP, Vote, conflict
from lucid.ledger.memory import MemoryStore
from lucid.machines.effects import (
    HOLD_TIMER,
    PROPOSE_TIMER,
    RESEND_TIMER,
    VIEW_TIMER,
    BeginFetch,
    BlockBuilt,
    Broadcast,
    BroadcastVote,
    CancelTimer,
    CertificateStored,
    EndFetch,
    EngineEvent,
    Forward,
    Observe,
    Provided,
    Publish,
    Respond,
    Retransmit,
    Send,
    SetTimer,
    Store,
    Submit,
    TakePart,
    TimerFired,
)
from lucid.machines.messages import VoteMessage
from lucid.machines.votelog import VoteLog, new_log
from tests.machines.bench import BLOCK_A, BLOCK_B, GENESIS_MS, Bench

BLOCKS = st.sampled_from([BLOCK_A, BLOCK_B])
EPOCHS = st.integers(0, 1)
VIEWS = st.integers(1, 5)
TIMERS = st.sampled_from([VIEW_TIMER, PROPOSE_TIMER, HOLD_TIMER, RESEND_TIMER])


class Promises(RuleBasedStateMachine):
    """An engine whose manager may say anything (it may have lost its store) and whose disk may fail at any write."""

    outside = False

    def __init__(self) -> None:
        super().__init__()
        self.bench = Bench()
        self.store = MemoryStore()
        self.store.write([new_log()])
        self.bench.store = self.store
        self.bench.restart()
        self.now = 0
        self.left: dict[tuple[int, int], list[Vote]] = {}
        members = self.bench.keys[1:] if self.outside else self.bench.keys
        self.facts: dict[str, Any] = {"validators": tuple(members)}

    def tell(self, event: EngineEvent, writes: int) -> None:
        """Hand over an event and perform the effects, but crash when `writes` stores have been completed."""
        for effect in self.bench.engine.handle(GENESIS_MS + self.now, event):
            match effect:
                case Store() if not writes:
                    return self.bench.restart()
                case Store(batch):
                    self.store.write(batch)
                    writes -= 1
                case Forward(BroadcastVote(vote) | Publish(vote, _, _)):
                    self.leave(vote)
                case Forward(Retransmit(_, _, votes)):
                    for vote in votes:
                        assert vote in self.left[vote.epoch, vote.view], "only what was said is said again"
                case Forward() | SetTimer() | CancelTimer() | Respond() | Observe():
                    pass  # promises nothing
                case Send() | Broadcast() | Submit() | BeginFetch() | TakePart() | EndFetch() | Provided():
                    raise AssertionError("an engine speaks to its manager and its clients alone")
                case _:
                    assert_never(effect)
        return None

    def leave(self, vote: Vote) -> None:
        """A vote leaves: it is in the log, it is new, and no vote before it forbids it."""
        assert not self.outside, "an observer signs nothing"
        assert VoteLog(self.store).votes((vote.epoch, vote.view))[vote.kind] == vote
        before = self.left.setdefault((vote.epoch, vote.view), [])
        assert all(each.kind != vote.kind and not conflict(each, vote) for each in before)
        assert vote.kind != NOTARIZE or all(each.kind != SKIP for each in before)
        before.append(vote)

    @rule(epoch=EPOCHS, view=VIEWS, block=BLOCKS, leads=st.booleans(), closing=st.booleans(), writes=st.integers(0, 3))
    def context(self, epoch: int, view: int, block: bytes, leads: bool, closing: bool, writes: int) -> None:
        leader = self.bench.key if leads and not self.outside else self.bench.keys[-1]
        changes = self.facts | {"leader": leader, "closing": closing, "parent": block}
        self.tell(self.bench.context(view, epoch, **changes), writes)

    @rule(epoch=EPOCHS, view=VIEWS, block=BLOCKS, kind=st.sampled_from([NOTARIZE, SKIP, FINALIZE]), held=st.booleans())
    def certificate(self, epoch: int, view: int, block: bytes, kind: int, held: bool) -> None:
        certificate = self.bench.certificate(kind, view, b"" if kind == SKIP else block, epoch=epoch)
        opened = (view + 1, epoch) if kind != FINALIZE else (1, epoch + 1)
        context = self.bench.context(*opened, parent=block, **self.facts)
        self.tell(CertificateStored(certificate, held, context), 3)

    @rule(
        epoch=EPOCHS,
        view=VIEWS,
        block=BLOCKS,
        base_view=st.integers(0, 4),
        tick=st.integers(0, 20),
        fresh=st.booleans(),
    )
    def verdict(self, epoch: int, view: int, block: bytes, base_view: int, tick: int, fresh: bool) -> None:
        changes = {"epoch": epoch, "base_view": base_view, "tick": tick, "fresh": fresh}
        self.tell(self.bench.verdict(block, view, **changes), 3)

    @rule(view=VIEWS, block=BLOCKS, parent=BLOCKS, writes=st.integers(0, 3))
    def built(self, view: int, block: bytes, parent: bytes, writes: int) -> None:
        self.tell(BlockBuilt(view, parent, block, ()), writes)

    @rule(
        signer=st.integers(1, 3),
        kind=st.integers(0, 3),
        epoch=EPOCHS,
        view=VIEWS,
        block=BLOCKS,
    )
    def vote(self, signer: int, kind: int, epoch: int, view: int, block: bytes) -> None:
        vote = self.bench.vote(signer, kind, view, b"" if kind == SKIP else block, epoch)
        self.tell(VoteMessage(vote), 3)

    @rule(timer=TIMERS, writes=st.integers(0, 3))
    def timer(self, timer: str, writes: int) -> None:
        self.tell(TimerFired(timer), writes)

    @rule(ms=st.integers(0, 20_000))
    def wait(self, ms: int) -> None:
        self.now += ms

    @rule()
    def restart(self) -> None:
        self.bench.restart()

    @invariant()
    def what_left_is_logged(self) -> None:
        log = VoteLog(self.store)
        for view, votes in self.left.items():
            if view == log.view:
                assert set(votes) <= set(log.votes(view).values())


class Observer(Promises):
    """The same for a node outside the validator set."""

    outside = True


TestPromises = Promises.TestCase
pytest.mark.slow(TestPromises)
TestPromises.settings = settings(max_examples=150, stateful_step_count=40)
TestObserver = Observer.TestCase
TestObserver.settings = settings(max_examples=30, stateful_step_count=30)
