"""Groups that are parted and joined again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from msgspec import Meta, field

from sim.allowance import Allowance
from sim.clock import Moment
from sim.faulthooks import Hooks
from sim.faults.fault import Color, Fault
from sim.faults.partition import Partition
from sim.faultspace import FaultSpace

if TYPE_CHECKING:
    from random import Random

    from sim.world import World


class Flapping(Fault, tag="flapping"):
    """No message passes between `groups` for `apart_ms`, then all do for `joined_ms`, over and over."""

    color: ClassVar[Color] = "partition"
    groups: list[list[int]] = field(default_factory=list)
    apart_ms: Annotated[int, Meta(ge=1, le=86_400_000)] = 1_000
    joined_ms: Annotated[int, Meta(ge=1, le=86_400_000)] = 1_000

    def check(self, nodes: int) -> None:
        """See `Fault`."""
        self._parted.check(nodes)

    def text(self) -> str:
        """See `Fault`."""
        return f"{self._parted.text()}, {self.apart_ms} ms apart, {self.joined_ms} ms joined"

    def allowance(self) -> Allowance:
        """See `Fault`: while it is on no group may lead well."""
        return Allowance(leaders=frozenset(index for group in self.groups for index in group))

    @property
    def _parted(self) -> Partition:
        return Partition(groups=self.groups)

    def begin(self, world: World) -> Hooks:
        """See `Fault`."""
        cut, on = self._parted.begin(world).cut, True

        def part(_: Moment | None = None) -> None:
            if on:
                world.recut(self, cut)
                world.clock.after(self.apart_ms * 1000, join)

        def join(_: Moment) -> None:
            if on:
                world.recut(self, frozenset())
                world.clock.after(self.joined_ms * 1000, part)

        def end() -> None:
            nonlocal on
            on = False

        world.clock.after(self.apart_ms * 1000, join)
        return Hooks(cut=cut, end=end)

    @classmethod
    def draw(cls, random: Random, space: FaultSpace) -> Flapping | None:
        """See `Fault`."""
        if space.nodes < 2:
            return None
        apart_ms, joined_ms = random.choice((200, 1_000, 3_000)), random.choice((200, 1_000, 3_000))
        return cls(groups=space.groups(random), apart_ms=apart_ms, joined_ms=joined_ms, **space.span(random))
