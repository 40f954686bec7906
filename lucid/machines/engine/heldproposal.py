"""The one valid proposal that an engine votes for later: its view is to come, or its moment is (protocol section 4)."""

from __future__ import annotations

from lucid.machines.effects import HOLD_TIMER, VIEW_TIMER, Effects, Verdict
from lucid.machines.engine.alarms import Alarms


class HeldProposal:
    """What is held, if anything, and the timer that says when its moment has come."""

    def __init__(self, alarms: Alarms) -> None:
        self.verdict: Verdict | None = None
        self._alarms = alarms

    def take(self) -> Verdict | None:
        """What is held, which is not held any more."""
        held, self.verdict = self.verdict, None
        return held

    def hold(self, verdict: Verdict, from_ms: int, view: tuple[int, int]) -> Effects:
        """Hold a proposal of the current (epoch, view) until a moment, unless one on a later parent is held already.

        One whose moment comes only after the view, as a leader that lies about the time may have it, gives way.
        """
        held, ends_ms = self.verdict, self._alarms.at(VIEW_TIMER)
        if held is not None and held is not verdict and (held.epoch, held.view) == view:
            # Safety holds for either; of two leaders of a view the one on the later block loses less (rule 3).
            in_time, too_late = self._alarms.at(HOLD_TIMER) <= ends_ms, from_ms > ends_ms
            if in_time and (too_late or held.base_view > verdict.base_view):
                return []
        self.verdict = verdict
        return [self._alarms.arm(HOLD_TIMER, from_ms)]
