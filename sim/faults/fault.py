"""What every fault is: its keys, its text, what it may cost, and how it begins.

A kind of fault is one file in this package: a subclass of `Fault` with a tag of its own. Nothing else knows it.
"""

from __future__ import annotations

from math import ceil, inf, log
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import msgspec

from sim.allowance import Allowance
from sim.durations import Duration, duration_ms
from sim.faulthooks import Hooks
from sim.faultspace import FaultSpace
from sim.nodeindexes import check_nodes
from sim.scenarioerror import ScenarioError

if TYPE_CHECKING:
    from random import Random

    from sim.world import World

Lane = Literal["network", "process", "release", "disk", "clock", "byzantine", "chunks"]
Color = Literal["crash", "partition", "disturbance"]

LEADER = "leader"
"""In place of a node's index: the one that leads when the fault begins."""

if TYPE_CHECKING:
    NodeIndex = int
else:
    NodeIndex = int | Literal["leader"]

UNLIKELY = 1e-9
"""What has a smaller chance than this is expected not to happen in a run."""


class ByKind(msgspec.StructMeta):
    """Lets `Fault(kind="crash", node=1)` make the fault of that kind."""

    def __call__(cls, *args: Any, **keys: Any) -> Any:
        if "kind" in keys:
            return _kinds_of(cls)[keys.pop("kind")](*args, **keys)
        return super().__call__(*args, **keys)


def _kinds_of(root: type) -> dict[str, type]:
    """The kinds of fault that there are below a class, by name."""
    found: dict[str, type] = {}
    below: list[Any] = root.__subclasses__()
    for each in below:
        if "__abstract__" not in each.__dict__:
            found[str(each.__struct_config__.tag)] = each
        found |= _kinds_of(each)
    return found


class Fault(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, tag_field="kind", metaclass=ByKind):
    """Something that goes wrong from `at` until `until`, or the scenario's calm, or the end.

    With `stays`, the calm does not end it: what the protocol must live with.
    """

    __abstract__: ClassVar[bool] = True
    lane: ClassVar[Lane] = "network"
    color: ClassVar[Color] = "disturbance"
    drawn_by_name: ClassVar[bool] = False
    """Whether only swarms that name this kind draw it: it is younger than the seeds of the others, which stay."""

    at: Duration = 0
    until: Duration | None = None
    stays: bool = False

    @property
    def kind(self) -> str:
        """The name of this kind of fault."""
        return str(self.__struct_config__.tag)

    @property
    def at_ms(self) -> int:
        """When it begins, in simulated ms."""
        return duration_ms(self.at)

    @property
    def until_ms(self) -> int | None:
        """When it ends, in simulated ms; None if nothing ends it."""
        return None if self.until is None else duration_ms(self.until)

    @property
    def byzantine(self) -> frozenset[int]:
        """Nodes that break the protocol on purpose: what it costs of the f that safety allows."""
        return frozenset()

    @property
    def forgets(self) -> frozenset[int]:
        """Nodes that lose what they acknowledged as durable."""
        return frozenset()

    @property
    def twins(self) -> tuple[int, ...]:
        """Nodes whose key is run a second time."""
        return ()

    @property
    def leading(self) -> tuple[int, ...]:
        """Who leads the first views, in place of whom the protocol names: what a run is about, not what goes wrong."""
        return ()

    def check(self, nodes: int) -> None:
        """Raise `ScenarioError` with the key for what the types cannot say."""

    def text(self) -> str:
        """What it touches, for people."""
        raise NotImplementedError

    def allowance(self) -> Allowance:
        """What it may cost while it is on."""
        return Allowance()

    def aimed(self, world: World) -> Self | None:
        """The fault as it is about to begin: at the nodes that it names by their role then; None if there are none."""
        return self

    def begin(self, world: World) -> Hooks:
        """Start to act on a world."""
        raise NotImplementedError

    @classmethod
    def draw(cls, random: Random, space: FaultSpace) -> Fault | None:
        """One such fault as a swarm would have it; None if the space has no room for this kind, or no swarm has it."""
        return None


class NodeFault(Fault):
    """A fault of one node: by its index, or of the `leader` of the view when the fault begins (`World.leader`)."""

    __abstract__: ClassVar[bool] = True
    node: NodeIndex

    @property
    def of_leader(self) -> bool:
        """Whether it names the leader, and no node yet."""
        return str(self.node) == LEADER

    def check(self, nodes: int) -> None:
        """See `Fault`."""
        if not self.of_leader:
            check_nodes("node", [self.node], nodes)
        elif not self.at_ms:
            raise ScenarioError("nobody leads before the start: a fault of the leader begins later, such as 10m", "at")

    def aimed(self, world: World) -> Self | None:
        """See `Fault`."""
        if not self.of_leader:
            return self
        leader = world.leader()
        return None if leader is None else msgspec.structs.replace(self, node=leader)

    def text(self) -> str:
        """See `Fault`."""
        return name(self.node)

    def allowance(self) -> Allowance:
        """See `Fault`: its views may fail."""
        return Allowance(leaders=frozenset((self.node,)))


class ByzantineFault(NodeFault):
    """One node that breaks the protocol on purpose."""

    __abstract__: ClassVar[bool] = True
    lane: ClassVar[Lane] = "byzantine"

    def check(self, nodes: int) -> None:
        """See `Fault`."""
        if self.of_leader:
            raise ScenarioError(f"who is Byzantine is known from the start: {self.kind} needs a node's index", "node")
        super().check(nodes)

    @property
    def byzantine(self) -> frozenset[int]:
        """See `Fault`."""
        return frozenset((self.node,))


def name(node: int) -> str:
    """How a node is called by its index, or its role."""
    return f"the {LEADER}" if str(node) == LEADER else f"n{node:02}"


def tag(message: type[msgspec.Struct]) -> int:
    """The wire tag of a kind of message: the second byte of its encoding."""
    found = message.__struct_config__.tag
    assert isinstance(found, int)
    return found


def within(key: str, value: float, low: float, high: float) -> None:
    """Raise `ScenarioError` unless low <= value <= high."""
    if not low <= value <= high:
        raise ScenarioError(f"must be within {low:g}..{high:g}, is {value:g}", key)


def views_lost(late_ms: float) -> int:
    """Views that fail until timeouts, doubled by every four failures, outlast votes that come so late."""
    return 4 * max(1, (int(late_ms) // 500).bit_length()) if late_ms else 0


def tries(failing: float) -> float:
    """How often in a row something that fails with this chance may be expected to fail; infinite if it always does."""
    if failing <= 0:
        return 0
    return inf if failing >= 1 else ceil(log(UNLIKELY) / log(failing))
