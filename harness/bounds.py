"""What liveness may cost while faults are on: bounds from what each fault allows, and when there is none, and why.

An invariant is never off. While no quorum can talk, or a fault's allowance knows no bound, it does not bind; how long,
and for which reason, is kept for the report.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import inf

from lucid.machines.effects import BlockFinal, Fact
from sim.allowance import Allowance
from sim.faults.fault import Fault, views_lost
from sim.node import Node
from sim.world import World

NAMED_FAULTS = 4
"""Faults that a sentence names."""


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
        slowest_ms = max(max(row) for row in world.base_us) * 10 // 1000
        interval_ms = world.genesis.parameters.block_interval_ms
        return (views + 2) * (timeout_ms + slowest_ms) + interval_ms + 3 * slowest_ms

    def unbound(self) -> str:
        """Why progress has no bound now, or nothing."""
        world = self.world
        honest = sum(node.index not in world.byzantine for node in world.nodes)
        if honest < world.quorum:
            return f"only {honest} of {len(world.index)} validators are honest, quorum is {world.quorum}"
        talking = world.connected()
        if len(talking) < world.quorum:
            return self._kept_apart(len(talking), honest)
        mute = {node.index for node in talking if not self.takes_part(node)}
        able = len(talking) - len(mute)
        if able < world.quorum:
            why = _named([each for each in self.faults if mute & each.allowance().leaders])
            return f"at most {able} of {honest} honest validators can take part with {why}, quorum is {world.quorum}"
        endless = [fault for fault, each in zip(self.faults, self.allowances, strict=True) if each.views == inf]
        return f"{endless[0].kind}: {endless[0].text()}" if endless else ""

    def _kept_apart(self, talking: int, honest: int) -> str:
        """Why no quorum can talk."""
        world = self.world
        up = sum(node.up for node in world.nodes if node.index not in world.byzantine)
        if up < world.quorum:
            return f"{honest - up} of {honest} honest validators down, quorum is {world.quorum}"
        old = sum(node.up and node.outdated for node in world.nodes if node.index not in world.byzantine)
        if old:
            return f"{old} of {honest} honest validators are too old for the chain's rules"
        return f"at most {talking} of {honest} honest validators can talk{self._apart()}, quorum is {world.quorum}"

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

    def _apart(self) -> str:
        """That clocks are further apart than the drift, if they are."""
        clocks = [node.clock_us for node in self.world.nodes if node.up and node.index not in self.world.byzantine]
        drift_us = self.world.genesis.parameters.max_clock_drift_ms * 1000
        return " within the clock drift" if max(clocks) - min(clocks) > drift_us else ""


def overworked(world: World, node: Node) -> bool:
    """Whether a node's core or its uplink still has more than a block interval's work to do."""
    behind_us = max(node.behind_us, world.network.uplink_behind_us(node.index))
    return behind_us > world.genesis.parameters.block_interval_ms * 1000


class Progress:
    """A watcher that knows how long the chain may stand still, and whether it stood still longer.

    `unbound_ms` says for how long progress had no bound, by reason; `unbound_anchors_ms` the same of accepted anchors.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.calm_since_us = 0
        self.disturbed_us = 0
        """When the last fault began or ended."""
        self.unbound_ms: Counter[str] = Counter()
        self.unbound_anchors_ms: Counter[str] = Counter()
        self.halt_ms: Counter[str] = Counter()
        """As `unbound_ms`, since the last block that became final anywhere."""
        self._looked_us = 0
        self._reason = ""
        self._anchors_reason = ""

    def on_fact(self, now_us: int, node: Node, fact: Fact) -> None:
        """See `Watcher`."""
        if type(fact) is BlockFinal and node.index not in self.world.byzantine:
            self.calm_since_us = max(self.calm_since_us, now_us)
            self.halt_ms.clear()

    def on_accepted(self, now_us: int, node: Node, transaction: bytes) -> None:
        """See `Watcher`."""

    def on_fault(self, now_us: int, fault: Fault, begins: bool) -> None:
        """See `Watcher`: a chain that was disturbed gets its time anew, and more where clocks went back."""
        self.disturbed_us = now_us
        self.calm_since_us = max(self.calm_since_us, now_us + fault.allowance().wait_ms * 1000)
        if self.world.started:
            # What is there from the beginning comes before the nodes: then nobody is up, and no fault keeps them down.
            self._look()

    def begin(self) -> None:
        """Every node that no fault keeps down has started."""
        self._look()

    def stalled(self) -> str:
        """Why this run makes no progress, or nothing; the bound is that of protocol section 9."""
        bounds = self._look()
        waited_ms = (self.world.clock.now_us - self.calm_since_us) // 1000
        if self._reason or waited_ms <= bounds.progress_ms:
            return ""
        on = _named(bounds.faults)
        sentence = f"no new final block for {_seconds(waited_ms)}, allowed are {_seconds(bounds.progress_ms)}"
        return sentence + (on and f", with {on}")

    def stood_still(self, last_final_us: int) -> str:
        """Why this run made no progress in the end, or nothing.

        Here nothing is without a bound: whatever its faults allow, a chain that stood still for the second half of the
        run, and longer than it may without them, made none; and so did one without a bound for so long, however far
        its timeouts were doubled meanwhile.
        """
        bounds = self._look()
        now_us = self.world.clock.now_us
        waited_ms = (now_us - last_final_us) // 1000
        unbound = sum(self.halt_ms.values()) > max(bounds.undisturbed_ms, now_us // 2000)
        if not unbound and waited_ms <= min(bounds.progress_ms, max(bounds.plain_ms, now_us // 2000)):
            return ""
        why, ms = max(self.halt_ms.items(), key=lambda each: each[1], default=(_named(bounds.faults), 0))
        if ms and (why != self._reason or ms < waited_ms // 2):
            why = f"for {_seconds(ms)} of them {why}"  # it is over, or comes and goes
        return f"no new final block for the last {_seconds(waited_ms)}" + (why and f": {why}")

    def _look(self) -> Bounds:
        """See what binds from now on, and count the time since the last look for what did until now."""
        now_us = self.world.clock.now_us
        passed_ms, self._looked_us = (now_us - self._looked_us) // 1000, now_us
        for reason, total in ((self._reason, self.unbound_ms), (self._anchors_reason, self.unbound_anchors_ms)):
            if reason and passed_ms:
                total[reason] += passed_ms
        if self._reason and passed_ms:
            self.halt_ms[self._reason] += passed_ms
        bounds = Bounds(self.world)
        self._reason = self._anchors_reason = bounds.unbound()
        if not self._reason and bounds.blocks == inf:
            self._anchors_reason = "a fault lets nothing through"
        if self._reason:
            # What has no bound now gets its time anew once it has one again.
            self.calm_since_us = max(self.calm_since_us, now_us)
        return bounds


def _named(faults: Sequence[Fault]) -> str:
    """The faults by name, and how many more there are than a sentence bears."""
    named = [f"{fault.kind} {fault.text()}" for fault in faults[:NAMED_FAULTS]]
    left = len(faults) - len(named)
    return ", ".join([*named, f"{left} more"] if left else named)


def _seconds(ms: float) -> str:
    return f"{ms / 1000:,.1f} s"


__all__ = ["Allowance", "Bounds", "Progress"]
