"""The proposer: a block is asked for when it is due, and proposed if it is still the one that was asked for."""

from __future__ import annotations

from typing import Any

import pytest

from lucid.machines.effects import PROPOSE_TIMER, BlockBuilt, Build, Effects, Forward, Publish, SetTimer
from lucid.machines.engine.admission import Admission
from lucid.machines.engine.alarms import Alarms
from lucid.machines.engine.buildrequest import BuildRequest
from lucid.machines.engine.polls import Polls
from lucid.machines.engine.proposer import Proposer
from lucid.machines.engine.signer import Signer
from lucid.machines.engine.timeout import Timeout
from lucid.machines.engine.viewclock import ViewClock
from lucid.machines.engine.viewstate import Cause, Phase, ViewState
from lucid.machines.limits import DEFAULT_LIMITS
from tests.builders import CRYPTO
from tests.machines.bench import BLOCK_A, BLOCK_B, GENESIS_MS, Bench


def proposer() -> tuple[Bench, Proposer]:
    """One of a key that never signed and is in view 1."""
    bench = Bench()
    own, genesis = bench.secrets[bench.key], bench.genesis
    signer = Signer(own, genesis, CRYPTO, bench.store)
    signer.log.enter((0, 1))
    admission = Admission(own, bench.key, genesis, CRYPTO, bench.store)
    polls = Polls(bench.chain_id, CRYPTO, DEFAULT_LIMITS.views_ahead)
    request = BuildRequest(own, genesis, CRYPTO, polls, admission, DEFAULT_LIMITS)
    timeout = Timeout(5_000)
    return bench, Proposer(signer, request, ViewClock(genesis, timeout), Alarms(), timeout)


def state(bench: Bench, **changes: Any) -> ViewState:
    """View 1, led by the bench's key."""
    facts: dict[str, Any] = {"leader": bench.key, "ready": True} | changes
    context = bench.context(**facts)
    return ViewState(context=context, entered_ms=GENESIS_MS, entry_view=0, by_skip=False)


def published(effects: Effects) -> list[Publish]:
    """What is put forward."""
    return [each.event for each in effects if isinstance(each, Forward) and isinstance(each.event, Publish)]


def test_a_block_is_asked_for_when_it_is_due_and_proposed_once() -> None:
    bench, own = proposer()
    first = state(bench)
    assert own.prepare(GENESIS_MS, first) == (first, [SetTimer(PROPOSE_TIMER, GENESIS_MS + 10_000)])
    building, [asked] = own.prepare(GENESIS_MS + 10_000, first)
    assert building.phase is Phase.BUILDING and isinstance(asked, Forward) and isinstance(asked.event, Build)
    after, effects = own.built(BlockBuilt(1, bench.chain_id, BLOCK_A, ()), building)
    [put] = published(effects)
    assert (put.vote.block, put.patience_ms, after.phase) == (BLOCK_A, 5_000, Phase.OPEN)
    assert own.prepare(GENESIS_MS + 10_001, after) == (after, [])


@pytest.mark.parametrize(
    ("view", "parent", "phase"), [(2, "", Phase.BUILDING), (1, "other", Phase.BUILDING), (1, "", Phase.OPEN)]
)
def test_what_was_not_asked_for_is_not_proposed(view: int, parent: str, phase: Phase) -> None:
    bench, own = proposer()
    before = state(bench)
    before = before.after(Cause.ASKED) if phase is Phase.BUILDING else before
    built = BlockBuilt(view, BLOCK_B if parent else bench.chain_id, BLOCK_A, ())
    assert own.built(built, before) == (before, [])


@pytest.mark.parametrize("changes", [{"leader": bytes(32)}, {"ready": False}])
def test_who_does_not_lead_or_lacks_something_asks_for_nothing(changes: dict[str, Any]) -> None:
    bench, own = proposer()
    before = state(bench, **changes)
    assert own.prepare(GENESIS_MS + 60_000, before) == (before, [])


def test_a_closing_block_is_proposed_again_at_once() -> None:
    bench, own = proposer()
    before = state(bench, closing=True, parent=BLOCK_A)
    after, effects = own.prepare(GENESIS_MS, before)
    [put] = published(effects)
    assert after is before and (put.vote.block, put.signature) == (BLOCK_A, bytes(64))
