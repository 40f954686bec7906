"""An engine that signs nothing: outside the set of validators, or after its log of votes was lost."""

from __future__ import annotations

import pytest

from lucid.chain.votes import NOTARIZE, SKIP
from lucid.machines.effects import (
    RESEND_TIMER,
    VIEW_TIMER,
    Build,
    CertificateStored,
    Observe,
    Retransmit,
    Store,
    TimedOut,
)
from tests.machines.bench import BLOCK_A, BLOCK_B, GENESIS_MS, Bench, heartbeats, told, votes

DUE_MS = 10_000
TIMEOUT_MS = 5_000


def test_a_node_outside_the_set_only_observes() -> None:
    bench = Bench()
    outside = tuple(bench.keys[1:])
    for event in (
        bench.context(validators=outside, leader=bench.keys[1]),
        bench.verdict(),
        bench.notarized(BLOCK_A, 1, validators=outside),
    ):
        effects = bench.handle(event, at=DUE_MS)
        assert votes(effects) == [] and heartbeats(effects) == []
    assert bench.fire(VIEW_TIMER) == [Observe(TimedOut(0, 2))]
    assert told(bench.fire(RESEND_TIMER), Retransmit) == [Retransmit(0, 2, ())]


@pytest.fixture
def lost() -> Bench:
    """A validator whose log is missing, as it finds out 25 s after genesis, in view 5 of epoch 2."""
    bench = Bench(log=False)
    effects = bench.handle(bench.on(BLOCK_A, 4, epoch=2, leader=bench.key), at=25_000)
    assert isinstance(effects[0], Store), "that the epoch is barred is durable before anything else"
    assert not told(effects, Build)
    return bench


def look_on(bench: Bench, epoch: int) -> None:
    """Be told of a view's end in an epoch while it goes on."""
    certificate = bench.certificate(NOTARIZE, 7, BLOCK_B, epoch=epoch)
    bench.handle(CertificateStored(certificate, True, bench.on(BLOCK_B, 7, epoch=epoch)), at=30_000)


def test_it_signs_nothing_in_an_epoch_after_one_that_it_did_not_see(lost: Bench) -> None:
    """However its clock may stand: an epoch reached by catching up may be one that this key has signed in."""
    lost.handle(lost.context(epoch=3, parent_tick=600), at=40_000)
    assert votes(lost.fire(VIEW_TIMER)) == []


def test_a_key_without_its_log_only_observes(lost: Bench) -> None:
    for event in (
        lost.verdict(view=5, epoch=2, base_view=4, fresh=False),
        CertificateStored(lost.certificate(NOTARIZE, 5, BLOCK_B, epoch=2), True, lost.on(BLOCK_B, 5, epoch=2)),
    ):
        assert votes(lost.handle(event, at=25_000)) == []
    assert votes(lost.fire(VIEW_TIMER)) == []
    assert told(lost.fire(RESEND_TIMER), Retransmit) == [Retransmit(2, 6, ())]


def test_a_restart_does_not_make_up_for_the_log(lost: Bench) -> None:
    lost.restart()
    lost.handle(lost.on(BLOCK_A, 5, epoch=2))
    assert votes(lost.fire(VIEW_TIMER)) == []


@pytest.mark.parametrize(("tick", "signs"), [(2, False), (3, True)])
def test_it_signs_again_in_an_epoch_that_opens_after_the_loss(lost: Bench, tick: int, signs: bool) -> None:
    """Tick 3 is 5 s after the loss, which is more than the drift."""
    look_on(lost, epoch=2)
    effects = lost.handle(lost.context(epoch=3, parent_tick=tick), at=40_000)
    assert isinstance(effects[0], Store)
    assert bool(votes(lost.fire(VIEW_TIMER))) is signs
    lost.restart()
    lost.handle(lost.context(epoch=3, view=2, parent_tick=tick), at=50_000)
    assert bool(votes(lost.fire(VIEW_TIMER))) is signs


def test_the_clocks_of_others_may_be_ahead_by_the_drift() -> None:
    """Tick 3, at 30 s, may have come for others 2 s before, and this key may have signed in that time: loss at 29 s."""
    bench = Bench(log=False)
    bench.handle(bench.on(BLOCK_A, 4, epoch=2), at=29_000)
    look_on(bench, epoch=2)
    bench.handle(bench.context(epoch=3, parent_tick=3), at=40_000)
    assert votes(bench.fire(VIEW_TIMER)) == []


def test_what_it_saw_of_one_epoch_says_nothing_of_the_next(lost: Bench) -> None:
    look_on(lost, epoch=2)
    lost.handle(lost.context(epoch=3, parent_tick=2), at=40_000)
    lost.handle(lost.context(epoch=4, parent_tick=9), at=100_000)
    assert votes(lost.fire(VIEW_TIMER)) == []


def test_it_signs_nothing_in_an_epoch_of_which_it_missed_the_opening(lost: Bench) -> None:
    look_on(lost, epoch=2)
    lost.handle(lost.on(BLOCK_B, 5, epoch=3, parent_tick=60), at=600_000)
    assert votes(lost.fire(VIEW_TIMER)) == []
    look_on(lost, epoch=3)
    lost.handle(lost.context(epoch=4, parent_tick=61), at=610_000)
    assert votes(lost.fire(VIEW_TIMER)) == [(SKIP, 1, b"")]


def test_having_lost_its_blocks_too_it_is_barred_from_the_epoch_that_it_wakes_up_to() -> None:
    """The manager starts over at genesis, and only sync shows in which epoch this key may have signed before."""
    bench = Bench(log=False)
    bench.handle(bench.context(), at=600_000)
    bench.handle(bench.context(epoch=3, parent_tick=50), at=600_000)
    assert votes(bench.fire(VIEW_TIMER)) == []


def test_not_even_a_clock_that_is_wrong_on_starting_frees_it() -> None:
    """Both disks are lost, the clock is behind genesis when the engine starts, and put right before it is level."""
    bench = Bench(log=False)
    bench.handle(bench.context(), at=-GENESIS_MS + 1_000)
    bench.handle(bench.context(epoch=3, parent_tick=50), at=600_000)
    assert votes(bench.fire(VIEW_TIMER)) == []
