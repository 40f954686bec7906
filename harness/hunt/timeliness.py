"""What an engine owes in time: a vote for a valid proposal that came in time, none for another; a bounded timeout."""

from __future__ import annotations

from typing import Any, NamedTuple

from harness.invariants import Diverged
from lucid.chain.votes import NOTARIZE, SKIP, Vote
from lucid.machines.effects import (
    VIEW_TIMER,
    CertificateStored,
    Effects,
    Observe,
    SetTimer,
    Signed,
    TimedOut,
    TimerFired,
    ViewContext,
)
from lucid.machines.effects import Verdict as Valid
from lucid.machines.engine import Engine
from lucid.machines.engine.timeout import MAX_FACTOR
from sim.runner import Runner
from sim.world import World

IN_TIME = "a valid proposal in time is voted for"
TIMELY = "no vote for a block of another time"
BOUNDED = "the timeout is bounded"
LOOKED_AT = frozenset((Valid, TimerFired, CertificateStored, ViewContext))
"""The events after which an engine may vote for a proposal, or leave its view."""


class _Told(NamedTuple):
    """A proposal that an engine was told of: when by its node's clock, and how that clock was set then."""

    engine: Engine
    at_ms: int
    clock_us: int
    verdict: Valid


class Timeliness:
    """A tap on every honest engine that raises `Diverged`; `checks` counts what was judged."""

    machine = Engine
    votes = False

    def __init__(self, world: World) -> None:
        self.checks = 0
        self._world = world
        self._genesis = world.genesis
        self._byzantine = world.byzantine
        self._told: list[list[_Told]] = [[] for _ in world.nodes]
        self._ends_ms: dict[int, int] = {}
        """By node, when the timer of its view was to fire, which it does later where the process was stopped."""

    def __call__(self, runner: Runner, now: int, event: Any, effects: Effects) -> None:
        """A machine handled an event at `now` of its node's clock, and wants these effects done."""
        engine = runner.machine
        kind = type(event)
        if kind not in LOOKED_AT or runner.node.index in self._byzantine:
            return
        assert isinstance(engine, Engine)
        if kind is Valid:
            self._note(runner, engine, now, event)
        elif kind is TimerFired:
            if event.timer == VIEW_TIMER:
                self._check_left(runner, engine, now, effects)
        elif kind is CertificateStored:
            self._check_timeout(runner, engine)
        for effect in effects:
            if type(effect) is Observe and type(effect.fact) is Signed and effect.fact.vote.kind == NOTARIZE:
                self._check_vote(runner, engine, now, effect.fact.vote)
            elif type(effect) is SetTimer and effect.timer == VIEW_TIMER:
                self._ends_ms[runner.node.index] = effect.at_ms

    def _note(self, runner: Runner, engine: Engine, now: int, verdict: Valid) -> None:
        """Remember what this engine may have to vote for, in the view that it is in or in a later one."""
        node = runner.node
        kept = [each for each in self._told[node.index] if each.engine is engine and _view(each.verdict) >= engine.view]
        self._told[node.index] = [*kept, _Told(engine, now, node.clock_us, verdict)]

    def _check_left(self, runner: Runner, engine: Engine, now: int, effects: Effects) -> None:
        """A view's timer fired: what was here before it was due, and is not too old `now`, has this engine's vote."""
        facts = [effect.fact for effect in effects if type(effect) is Observe]
        view = next(((fact.epoch, fact.view) for fact in facts if type(fact) is TimedOut), None)
        skips = any(type(fact) is Signed and fact.vote.kind == SKIP for fact in facts)
        # Who signs no skip was not free to vote; what still waits for a disk or a core may be the timer of a proposal.
        if view is None or not skips or runner.waiting or NOTARIZE in engine.log.votes(view):
            return
        due_ms = min(now, self._ends_ms.get(runner.node.index, now))
        for told in self._told[runner.node.index]:
            if told.engine is engine and _view(told.verdict) == view and told.clock_us == runner.node.clock_us:
                self.checks += 1
                fresh = not told.verdict.fresh or now <= self._until_ms(told.verdict, engine)
                if fresh and self._due(told, engine, due_ms):
                    verdict = told.verdict
                    block = f"{verdict.block.hex()[:8]} of view {view[0]}/{view[1]} on view {verdict.base_view}"
                    raise Diverged(
                        IN_TIME,
                        f"{runner.node.name} knew of the valid block {block} for {due_ms - told.at_ms} ms, and gave "
                        f"the view up without a vote",
                    )

    def _due(self, told: _Told, engine: Engine, due_ms: int) -> bool:
        """Whether a proposal was to be voted for before the timer of its view came due."""
        verdict, state = told.verdict, engine.state
        assert state is not None
        from_ms = told.at_ms
        if verdict.fresh:
            from_ms = max(from_ms, self._genesis.tick_ms(verdict.tick) - self._genesis.parameters.max_clock_drift_ms)
        if verdict.base_view < state.entry_view:
            # Half of the timeout was over by then.
            from_ms = max(from_ms, due_ms - engine.timeout.current_ms // 2)
        return from_ms < due_ms

    def _until_ms(self, verdict: Valid, engine: Engine) -> int:
        """Until when a block may be voted for (protocol section 4, Time)."""
        parameters = self._genesis.parameters
        late_ms = parameters.block_interval_ms + engine.timeout.current_ms + parameters.max_clock_drift_ms
        return self._genesis.tick_ms(verdict.tick) + late_ms

    def _check_vote(self, runner: Runner, engine: Engine, now: int, vote: Vote) -> None:
        """A vote is for a block of about now."""
        for told in self._told[runner.node.index]:
            if told.verdict.block == vote.block and _view(told.verdict) == (vote.epoch, vote.view):
                self.checks += 1
                tick_ms = self._genesis.tick_ms(told.verdict.tick)
                early = now < tick_ms - self._genesis.parameters.max_clock_drift_ms
                if told.verdict.fresh and (early or now > self._until_ms(told.verdict, engine)):
                    raise Diverged(TIMELY, f"{runner.node.name} voted for a block of {now - tick_ms} ms ago: {vote}")
                return

    def _check_timeout(self, runner: Runner, engine: Engine) -> None:
        self.checks += 1
        if engine.timeout.current_ms > MAX_FACTOR * self._genesis.parameters.slot_timeout_ms:
            raise Diverged(BOUNDED, f"{runner.node.name} waits {engine.timeout.current_ms} ms for a view")


def _view(verdict: Valid) -> tuple[int, int]:
    return (verdict.epoch, verdict.view)
