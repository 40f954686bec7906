"""When a view's proposal is due, when it may be voted for, and when the view ends (protocol section 4)."""

from __future__ import annotations

from lucid.chain.genesis import Genesis
from lucid.machines.effects import Verdict, ViewContext
from lucid.machines.engine.timeout import Timeout
from lucid.machines.engine.viewstate import ViewState


class ViewClock:
    """Moments of a view, in ms since the Unix epoch, by the chain's ticks and the node's own timeout."""

    def __init__(self, genesis: Genesis, timeout: Timeout) -> None:
        self._genesis = genesis
        self._timeout = timeout
        self._drift_ms = genesis.parameters.max_clock_drift_ms

    def due_ms(self, context: ViewContext) -> int:
        """When the proposal is due: the tick after the parent's; a closing block is proposed again at once."""
        # Repeats go out at once and without regard to ticks: the epoch cannot go on before its last block is final.
        return 0 if context.closing else self._genesis.tick_ms(context.parent_tick + 1)

    def from_ms(self, verdict: Verdict, state: ViewState) -> int:
        """When a proposal may be voted for at the earliest, the clocks' drift allowed for."""
        from_ms = self._genesis.tick_ms(verdict.tick) - self._drift_ms if verdict.fresh else 0
        if verdict.base_view < state.entry_view:
            # Safe, since the skips between are held; but the view may have another leader, whose block loses less.
            from_ms = max(from_ms, self._begun_ms(state) + self._timeout.current_ms // 2)
        return from_ms

    def too_late(self, now: int, verdict: Verdict) -> bool:
        """Whether a proposal is of so long ago that it gets no vote: nobody backdates a block after a halt."""
        # One tick, as blocks come by ticks; the timeout, as a leader may be late by one; the drift, as clocks differ.
        allowed_ms = self._genesis.parameters.block_interval_ms + self._timeout.current_ms + self._drift_ms
        return verdict.fresh and now > self._genesis.tick_ms(verdict.tick) + allowed_ms

    def ends_ms(self, state: ViewState) -> int:
        """When the view timer fires: the current timeout after the later of entering and when the proposal is due."""
        return self._begun_ms(state) + self._timeout.current_ms

    def _begun_ms(self, state: ViewState) -> int:
        return max(state.entered_ms, self.due_ms(state.context))
