"""What an engine's vote log is for: it closes what was left, counts what it signed, and says it again (section 4).

A second guard stands behind each of these, or the next view makes up for it, so no bound tells that one is neglected.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.invariants import Diverged
from lucid.chain.votes import FINALIZE, NOTARIZE, SKIP, Vote
from lucid.machines.effects import RESEND_TIMER, Effects, EnteredView, Forward, Observe, Retransmit, Signed, TimerFired
from lucid.machines.engine import Engine
from sim.runner import Runner
from sim.world import World

CLOSED = "a view that was left is closed"
SKIPPED_FIRST = "no notarize after the own skip"
AGAIN = "the finalize of the view before is retransmitted"


class Promises:
    """A tap on every honest engine that raises `Diverged`; `checks` counts what was judged."""

    machine = Engine
    votes = False

    def __init__(self, world: World) -> None:
        self.checks = 0
        self._byzantine = world.byzantine

    def __call__(self, runner: Runner, now: int, event: Any, effects: Effects) -> None:
        """A machine handled an event at `now` of its node's clock, and wants these effects done."""
        engine = runner.machine
        assert isinstance(engine, Engine)
        if runner.node.index in self._byzantine or engine.state is None:
            return
        if type(event) is TimerFired and event.timer == RESEND_TIMER:
            self._check_said_again(runner, engine, effects)
        signed = [effect.fact.vote for effect in effects if type(effect) is Observe and type(effect.fact) is Signed]
        for place, vote in enumerate(signed):
            self._check_notarize(runner, engine, vote, signed[place + 1 :])
        for effect in effects:
            if type(effect) is Observe and type(effect.fact) is EnteredView:
                self._check_closed(runner, engine, effect.fact)

    def _check_notarize(self, runner: Runner, engine: Engine, vote: Vote, later: Sequence[Vote]) -> None:
        """No evidence shows it, and finality rests on it (rule 4)."""
        self.checks += 1
        skip = engine.log.votes((vote.epoch, vote.view)).get(SKIP)
        if vote.kind == NOTARIZE and skip is not None and skip not in later:
            raise Diverged(SKIPPED_FIRST, f"{runner.node.name} notarizes in {vote.epoch}/{vote.view}, which it skipped")

    def _check_closed(self, runner: Runner, engine: Engine, entered: EnteredView) -> None:
        """Whoever went on from a view signs no notarize there any more, whatever else it has signed."""
        self.checks += 1
        epoch, left = entered.epoch, entered.view - 1
        if left and engine.log.may_sign(epoch, left, NOTARIZE):
            raise Diverged(CLOSED, f"{runner.node.name} is in view {epoch}/{entered.view}, and may notarize in {left}")

    def _check_said_again(self, runner: Runner, engine: Engine, effects: Effects) -> None:
        """A finalize that nobody heard makes no block final until somebody hears it."""
        epoch, view = engine.view
        left = engine.log.votes((epoch, view - 1)).get(FINALIZE)
        for effect in effects:
            if left is not None and type(effect) is Forward and type(effect.event) is Retransmit:
                self.checks += 1
                if left not in effect.event.votes:
                    raise Diverged(AGAIN, f"{runner.node.name} says nothing more of its finalize of {epoch}/{view - 1}")
