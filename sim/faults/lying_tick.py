"""A leader that lies about the time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from msgspec import Meta, structs

from lucid.machines.effects import Build, Forward
from sim.faulthooks import Hooks
from sim.faults.fault import ByzantineFault, name
from sim.faultspace import FaultSpace

if TYPE_CHECKING:
    from random import Random

    from lucid.machines.effects import Effect
    from sim.runner import Runner
    from sim.world import World


class LyingTick(ByzantineFault, tag="lying_tick"):
    """`node`'s blocks claim to be of `ticks` later, or earlier; never of a tick that its parent has."""

    ticks: Annotated[int, Meta(ge=-1_000, le=1_000)] = 1

    def text(self) -> str:
        """See `Fault`."""
        return f"{name(self.node)} {self.ticks:+} ticks"

    def begin(self, world: World) -> Hooks:
        """See `Fault`."""

        def lie(runner: Runner, effect: Effect) -> Effect:
            if type(effect) is Forward and type(effect.event) is Build:
                build = effect.event
                return Forward(structs.replace(build, tick=max(1, build.tick + self.ticks)))
            return effect

        return Hooks(effect=lie, nodes=frozenset((self.node,)))

    @classmethod
    def draw(cls, random: Random, space: FaultSpace) -> LyingTick | None:
        """See `Fault`."""
        if not space.traitors:
            return None
        return cls(node=random.choice(space.traitors), ticks=random.choice((1, 3, 50)), **space.span(random))
