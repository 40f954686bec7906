"""The proposer: in a view that this node leads it asks for a block once that is due, and proposes it (section 4)."""

from __future__ import annotations

from lucid.chain.votes import PROPOSE
from lucid.machines.effects import PROPOSE_TIMER, BlockBuilt, Effects, Forward
from lucid.machines.engine.alarms import Alarms
from lucid.machines.engine.buildrequest import BuildRequest
from lucid.machines.engine.signer import Signer
from lucid.machines.engine.timeout import Timeout
from lucid.machines.engine.viewclock import ViewClock
from lucid.machines.engine.viewstate import Cause, Phase, ViewState


class Proposer:
    """Leads for one key: each step returns the view's state after it, and what is to be done."""

    def __init__(
        self, signer: Signer, request: BuildRequest, clock: ViewClock, alarms: Alarms, timeout: Timeout
    ) -> None:
        self._signer = signer
        self._request = request
        self._clock = clock
        self._alarms = alarms
        self._timeout = timeout

    def prepare(self, now: int, state: ViewState) -> tuple[ViewState, Effects]:
        """Rule 2. When this node leads the view: build now, or when the tick comes."""
        context = state.context
        # Not ready: a later block is notarized that it lacks, on which a proposal gets votes sooner; or it lacks the
        # certificate that the child must carry.
        if context.leader != self._signer.key or not context.ready or state.phase is not Phase.OPEN:
            return state, []
        # It may have proposed before a restart: a second one would be evidence against it (section 4, Evidence).
        if not self._signer.log.may_sign(context.epoch, context.view, PROPOSE):
            return state, []
        # Not before: who votes holds back what is ahead of its tick (section 4, Time).
        due_ms = self._clock.due_ms(context)
        if now < due_ms:
            return state, [self._alarms.arm(PROPOSE_TIMER, due_ms)]
        if context.closing:
            # Nothing is built on it within its epoch: it is proposed until it is final (section 4, Repeats).
            return state, self._signer.repeat(context.epoch, context.view, context.parent, self._timeout.current_ms)
        return state.after(Cause.ASKED), [Forward(self._request.make(now, context))]

    def built(self, event: BlockBuilt, state: ViewState) -> tuple[ViewState, Effects]:
        """Sign the block, if it is still the one that was asked for and this view may have a proposal."""
        if state.phase is not Phase.BUILDING:
            return state, []
        context = state.context
        # The view went on, or a better parent came, while it was built: the view's one proposal is for that.
        if (event.view, event.parent) != (context.view, context.parent):
            return state, []
        state = state.after(Cause.BUILT)
        if not self._signer.log.may_sign(context.epoch, context.view, PROPOSE):
            return state, []
        return state, self._signer.propose(context.epoch, context.view, event.hash, self._timeout.current_ms)
