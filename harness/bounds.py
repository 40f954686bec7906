"""What liveness may cost while faults are on: bounds from what each fault allows (protocol section 9)."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

from harness.overwork import overworked
from lucid.machines.engine.timeout import MAX_FACTOR, SLOW_TO_GROW
from sim.faults.fault import views_lost
from sim.node import Node
from sim.queuing import MOST
from sim.scenario import Scenario
from sim.world import World

DELAYS = 3
"""How often a message has to arrive before a view ends well: the proposal, the votes, and whoever entered it last."""


class Bounds:
    """The bounds of protocol section 9 as they stand at this moment of a world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.faults = [world.faults[place] for place in world.active]
        self.allowances = [fault.allowance() for fault in self.faults]
        self.touched = {index for each in self.allowances for index in each.leaders}
        """Nodes whose views may fail."""

    @property
    def blocks(self) -> float:
        """Final blocks beyond the usual ones that an accepted anchor may take."""
        lag_ms = max((each.lag_ms for each in self.allowances), default=0)
        return sum(each.blocks for each in self.allowances) + lag_ms // self.world.genesis.parameters.block_interval_ms

    @property
    def progress_ms(self) -> float:
        """(faulty leaders + 2) current timeouts and one interval, and the time that messages take."""
        return self._progress_ms(sum(each.views for each in self.allowances) + self._views_lost)

    @property
    def plain_ms(self) -> float:
        """The same without the views that faults allow to fail."""
        return self._progress_ms(0)

    @property
    def undisturbed_ms(self) -> float:
        """The same where nothing ever was wrong: no leader is faulty, and no timeout was doubled."""
        return self._bound_ms(0, self.world.genesis.parameters.slot_timeout_ms)

    @property
    def growing_ms(self) -> float:
        """`progress_ms` from now on where messages stay late: views fail until timeouts outlast them, ever longer ones.

        Nobody's timeout is fixed then, and a view in which a quorum needs the least patient node fails with that one.
        So four views fail for each time that the least timeout still has to be doubled. All have timed out after the
        greatest one, which grows as well, and the last skip comes a delay after that.
        """
        late_ms = max((each.lag_ms for each in self.allowances), default=0)
        if not late_ms:
            return self.progress_ms
        base_ms = self.world.genesis.parameters.slot_timeout_ms
        talking = self.world.connected()
        timeouts = [node.engine.machine.timeout.current_ms for node in talking if node.engine is not None]  # type: ignore[union-attr]
        least_ms, most_ms = min(timeouts, default=base_ms), max(timeouts, default=base_ms)
        failing_ms, delay_ms = 0, late_ms // DELAYS
        while least_ms < min(late_ms, MAX_FACTOR * base_ms):
            failing_ms += SLOW_TO_GROW * (most_ms + delay_ms)
            least_ms, most_ms = 2 * least_ms, min(MAX_FACTOR * base_ms, 2 * most_ms)
        views = sum(each.views for each in self.allowances if not each.lag_ms) + self._views_lost
        views += len(self.world.index) - sum(node.index not in self.touched for node in talking)
        return failing_ms + self._bound_ms(views, most_ms + delay_ms)

    def _progress_ms(self, allowed_views: float) -> float:
        world = self.world
        parameters = world.genesis.parameters
        talking = world.connected()
        leaders = len(world.index) - sum(node.index not in self.touched for node in talking)
        views = leaders + allowed_views
        timeouts = [node.engine.machine.timeout.current_ms for node in talking if node.engine is not None]  # type: ignore[union-attr]
        return self._bound_ms(views, max(timeouts, default=parameters.slot_timeout_ms))

    def _bound_ms(self, views: float, timeout_ms: int) -> float:
        world = self.world
        longest_ms = slowest_ms(world.base_us, world.scenario)
        return within_ms(views, timeout_ms, longest_ms, world.genesis.parameters.block_interval_ms)

    def _late_ms(self, node: Node) -> float:
        """How much later than usual a node's votes may come, by what faults do to it; infinite if none comes.

        None comes from a node that a fault touches as long as its core or its uplink still has more than an interval's
        work to do, or its clock shows a time before that of its last final block.
        """
        if node.index not in self.touched:
            return 0
        world, parameters = self.world, self.world.genesis.parameters
        assert node.manager is not None
        head = node.manager.machine.chain.tree.root.ledger.core.head  # type: ignore[union-attr]
        final_ms = world.genesis.tick_ms(head.tick)
        clock_ms = (world.clock.now_us + node.clock_us) // 1000
        if overworked(world, node) or clock_ms < final_ms - parameters.max_clock_drift_ms:
            return inf
        return sum(each.late_ms for each in self.allowances if node.index in each.leaders)

    def takes_part(self, node: Node) -> bool:
        """Whether the votes of a node that can talk come at all."""
        return self._late_ms(node) < inf

    @property
    def _views_lost(self) -> int:
        """Views that may fail because a quorum needs nodes whose votes come late."""
        late_ms = sorted(map(self._late_ms, self.world.connected()))[: self.world.quorum]
        return views_lost(late_ms[-1]) if late_ms and late_ms[-1] < inf else 0


def within_ms(views: float, timeout_ms: int, longest_ms: int, interval_ms: int) -> float:
    """The bound of protocol section 9, where a message takes so long at most and so many views may fail."""
    return (views + 2) * (timeout_ms + longest_ms) + interval_ms + DELAYS * longest_ms


def slowest_ms(base_us: Sequence[Sequence[int]], scenario: Scenario) -> int:
    """The longest that a message takes by links of these latencies, where nothing is wrong with them."""
    return max(max(row) for row in base_us) * 10 // 1000 + MOST * scenario.queuing_ms
