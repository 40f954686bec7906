"""The calm after a state: what was on its way is lost, the traitor is silent, and the honest nodes talk as they can.

Within its bound each of them must then make a new block final. This is where all that is said again comes in.
"""

from __future__ import annotations

from heapq import heappop, heappush

from harness.explore.brokenrule import BrokenRule
from harness.explore.replica import Replica
from harness.explore.setting import Setting

LATENCY_MS = 10
BOUND_MS = 60_000
"""Far above what four validators may take with one of them silent: six timeouts, and two block intervals."""


def check_calm(setting: Setting, replicas: list[Replica]) -> None:
    """Raise `BrokenRule` if these nodes, left alone, do not all make a new block final in time."""
    Calm(setting, replicas).check()


class Calm:
    """Nodes in one common time, from the latest of their clocks on."""

    def __init__(self, setting: Setting, replicas: list[Replica]) -> None:
        self.setting = setting
        self.replicas = {replica.place: replica for replica in replicas}
        self.now = max(replica.now for replica in replicas)
        self.count = 0
        self.mail: list[tuple[int, int, int, bytes, bytes]] = []

    def check(self) -> None:
        """See `check_calm`."""
        until = self.now + BOUND_MS
        target = 1 + max(map(_height, self.replicas.values()))
        while min(map(_height, self.replicas.values())) < target:
            timers = [
                (at, replica.place, name)
                for replica in self.replicas.values()
                for half in replica.halves
                for name, at in half.timers.items()
            ]
            due = min(timers, default=None)
            if self.mail and (due is None or self.mail[0][0] <= due[0]):
                at, _, place, peer, data = heappop(self.mail)
                self._at(at, place).hear([(peer, data)])
            else:
                assert due is not None, "a standing is always said again"
                at, place, name = due
                self._at(at, place).fire(name)
            if self.now > until:
                where = ", ".join(
                    f"n{place} in view {replica.engine.view[1]}" for place, replica in sorted(self.replicas.items())
                )
                raise BrokenRule("the chain comes back", f"no new final block in {BOUND_MS // 1000} s of calm: {where}")
            self._send(self.replicas[place])

    def _at(self, at: int, place: int) -> Replica:
        self.now = max(self.now, at)
        replica = self.replicas[place]
        replica.now = self.now
        return replica

    def _send(self, replica: Replica) -> None:
        for sent in replica.sent:
            to = self.replicas if sent.peer is None else (self.setting.places[sent.peer],)
            for place in to:
                if place != replica.place and place in self.replicas:
                    self.count += 1
                    key = self.setting.keys[replica.place]
                    heappush(self.mail, (self.now + LATENCY_MS, self.count, place, key, sent.data))
        replica.sent = []


def _height(replica: Replica) -> int:
    return replica.manager.chain.tree.root.height
