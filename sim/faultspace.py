"""What a swarm draws faults for: how many nodes, until when, and who may be Byzantine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from random import Random


class FaultSpace(NamedTuple):
    """What a swarm draws faults for: a network of so many nodes, disturbed until `calm_ms`.

    `traitors` are the nodes that may be Byzantine in this run.
    """

    nodes: int
    calm_ms: int
    traitors: tuple[int, ...] = ()

    def span(self, random: Random) -> dict[str, Any]:
        """The times of a fault: it begins somewhere, and ends before the calm or with it."""
        at_ms = random.randrange(self.calm_ms)
        left_ms = self.calm_ms - at_ms
        until_ms = at_ms + 1 + min(left_ms - 1, int(random.expovariate(1) * self.calm_ms / 4))
        return {"at": at_ms, "until": until_ms}

    def node(self, random: Random) -> int:
        """Any node."""
        return random.randrange(self.nodes)

    def groups(self, random: Random, count: int = 2) -> list[list[int]]:
        """All nodes in so many groups, none of them empty; `count` may be at most the number of nodes."""
        order = list(range(self.nodes))
        random.shuffle(order)
        cuts = sorted(random.sample(range(1, self.nodes), count - 1))
        return [sorted(order[a:b]) for a, b in zip([0, *cuts], [*cuts, self.nodes], strict=True)]
