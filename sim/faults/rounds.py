"""A key that is run twice in a network that is split anew in each of its first views."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from msgspec import Meta, field

from lucid.machines.messages import Proposal
from sim.allowance import Allowance
from sim.faulthooks import Hooks
from sim.faults.fault import ByzantineFault, name, tag
from sim.nodeindexes import check_nodes
from sim.scenarioerror import ScenarioError
from sim.sending import Sending

if TYPE_CHECKING:
    from sim.world import World


PROPOSAL = tag(Proposal)


class Rounds(ByzantineFault, tag="rounds"):
    """`node` runs twice; in view k of epoch 0 `leaders[k]` leads, and what is sent stays within groups of `split[k]`.

    These are the scenarios of Twins (Bano et al., 2021): which nodes hear each other, round by round, and who leads.
    The second node with the key has the number after the last one's. A message is of the view that its sender is in; a
    view in which no quorum can meet ends when everything has passed for it again, `patience_ms` after it was entered.
    Where a split is `late` it begins once the proposals are out: they pass, and what answers them does not.
    """

    drawn_by_name: ClassVar[bool] = True
    leaders: Annotated[list[int], Meta(min_length=1, max_length=64)] = field(default_factory=lambda: [0])
    split: list[list[list[int]]] = field(default_factory=list)
    late: list[bool] = field(default_factory=list)
    patience_ms: Annotated[int, Meta(ge=1, le=3_600_000)] = 2_000

    @property
    def twins(self) -> tuple[int, ...]:
        """See `Fault`."""
        return (self.node,)

    @property
    def leading(self) -> tuple[int, ...]:
        """See `Fault`."""
        return tuple(self.leaders)

    def check(self, nodes: int) -> None:
        """See `Fault`."""
        super().check(nodes)
        check_nodes("leaders", sorted(set(self.leaders)), nodes)
        for groups in self.split:
            bodies = sorted(body for group in groups for body in group)
            if bodies != list(range(nodes + 1)):
                raise ScenarioError(f"must have each of the nodes 0 to {nodes} once, {nodes} being the twin", "split")
        if len(self.late) > len(self.split):
            raise ScenarioError(f"says of {len(self.late)} splits whether they are late, there are fewer", "late")

    def text(self) -> str:
        """See `Fault`."""
        rounds = [
            f"{name(leader)} in {'|'.join(''.join(map(str, group)) for group in groups)}{' late' if late else ''}"
            for leader, groups, late in zip(self.leaders, self.split, self._late, strict=False)
        ]
        return f"{name(self.node)} twice, led by {', '.join(rounds) or ' '.join(map(name, self.leaders))}"

    def allowance(self) -> Allowance:
        """See `Fault`: each view may fail."""
        return Allowance(leaders=frozenset((self.node,)), views=len(self.leaders))

    @property
    def _late(self) -> list[bool]:
        """Whether each split is late."""
        return self.late + [False] * (len(self.split) - len(self.late))

    def begin(self, world: World) -> Hooks:
        """See `Fault`."""
        late = self._late
        groups = [{body: frozenset(group) for group in each for body in group} for each in self.split]
        entered_us: dict[int, int] = {}

        def within(sender: int, sending: Sending) -> list[Sending]:
            engine = world.nodes[sender].engine
            epoch, view = (0, 1) if engine is None else engine.machine.view  # type: ignore[union-attr]
            if epoch or not 1 <= view <= len(groups):
                return [sending]
            now_us = world.clock.now_us
            if now_us - entered_us.setdefault(view, now_us) > self.patience_ms * 1_000:
                return [sending]
            if late[view - 1] and sending.data[1] == PROPOSAL:
                return [sending]
            heard = groups[view - 1][sender]
            return [sending._replace(receivers=[each for each in sending.receivers if each in heard])]

        return Hooks(send=within)
