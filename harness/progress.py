"""Whether a network makes progress: the invariants of liveness, as a watcher that ends a run."""

from __future__ import annotations

from collections import Counter
from math import inf

from harness.bounds import Bounds
from harness.standstill import named, unbound
from lucid.machines.effects import BlockFinal, Fact
from sim.faults.fault import Fault
from sim.node import Node
from sim.world import World


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
        on = named(bounds.faults)
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
        why, ms = max(self.halt_ms.items(), key=lambda each: each[1], default=(named(bounds.faults), 0))
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
        self._reason = self._anchors_reason = unbound(bounds)
        if not self._reason and bounds.blocks == inf:
            self._anchors_reason = "a fault lets nothing through"
        if self._reason:
            # What has no bound now gets its time anew once it has one again.
            self.calm_since_us = max(self.calm_since_us, now_us)
        return bounds


def _seconds(ms: float) -> str:
    return f"{ms / 1000:,.1f} s"
