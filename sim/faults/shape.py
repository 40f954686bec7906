"""A network that lost most of its links: a star, a ring, a bridge, or one node alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, get_args

from sim.allowance import Allowance
from sim.faulthooks import Hooks
from sim.faults.fault import Color, NodeFault, name
from sim.faultspace import FaultSpace

if TYPE_CHECKING:
    from random import Random

    from sim.world import World

Form = Literal["star", "ring", "bridge", "alone"]


class Shape(NodeFault, tag="shape"):
    """The links that are left form a `star` around `node`, a `ring`, two halves that only `node` joins, or all but its.

    In a ring each node talks to the next by number; `alone` cuts `node` off and leaves the rest whole.
    """

    color: ClassVar[Color] = "partition"
    form: Form = "star"

    def text(self) -> str:
        """See `Fault`."""
        return f"{self.form} around {name(self.node)}" if self.form != "ring" else "ring"

    def allowance(self) -> Allowance:
        """See `Fault`: with few links views may fail one after the other."""
        return Allowance(views=0 if self.form == "alone" else 64)

    def begin(self, world: World) -> Hooks:
        """See `Fault`."""
        count = len(world.index)
        cut = set()
        for a in range(count):
            for b in range(count):
                if a != b and not self._linked(a, b, count):
                    cut |= {(x, y) for x in world.bodies(a) for y in world.bodies(b)}
        return Hooks(cut=frozenset(cut))

    def _linked(self, a: int, b: int, count: int) -> bool:
        if self.form == "ring":
            return (a - b) % count in (1, count - 1)
        if self.node in (a, b):
            return self.form != "alone"
        if self.form == "star":
            return False
        return self.form == "alone" or (a < count // 2) == (b < count // 2)

    @classmethod
    def draw(cls, random: Random, space: FaultSpace) -> Shape | None:
        """See `Fault`."""
        if space.nodes < 3:
            return None
        forms: tuple[Form, ...] = get_args(Form)
        return cls(node=space.node(random), form=forms[random.randrange(len(forms))], **space.span(random))
