"""The engine: a validator's promises. It keeps the view, signs votes, counts those of others and fills blocks.

It implements Simplex (Chan and Pass, TCC 2023) as `docs/protocol.md` section 4 words it, whose rules of "What a
validator does" are named by their numbers. It holds no ledger: facts come from the manager, durable before they come,
and every promise is in the vote log before it leaves.
"""

from __future__ import annotations

from typing import assert_never

from lucid.chain.certificates import Certificate
from lucid.chain.errors import Code, Refusal
from lucid.chain.genesis import Genesis
from lucid.chain.keys import Crypto
from lucid.chain.validators import ValidatorSet
from lucid.chain.versions import RULES_KNOWN
from lucid.chain.votes import FINALIZE, NOTARIZE, SKIP
from lucid.ledger.rowstore import Reader
from lucid.machines.effects import (
    HOLD_TIMER,
    PROPOSE_TIMER,
    RESEND_TIMER,
    VIEW_TIMER,
    Assembled,
    BlockBuilt,
    CertificateStored,
    Effects,
    EngineEvent,
    EnteredView,
    Finalized,
    Forward,
    Halt,
    Observe,
    Refused,
    Respond,
    Retransmit,
    SetTimer,
    Started,
    Store,
    Submitted,
    TimedOut,
    TimerFired,
    Verdict,
    ViewContext,
)
from lucid.machines.engine.admission import Admission
from lucid.machines.engine.alarms import Alarms
from lucid.machines.engine.buildrequest import BuildRequest
from lucid.machines.engine.heartbeats import Heartbeats
from lucid.machines.engine.heldproposal import HeldProposal
from lucid.machines.engine.polls import Polls
from lucid.machines.engine.proposer import Proposer
from lucid.machines.engine.signer import Signer
from lucid.machines.engine.timeout import Timeout
from lucid.machines.engine.viewclock import ViewClock
from lucid.machines.engine.viewstate import Cause, ViewState
from lucid.machines.limits import DEFAULT_LIMITS, Limits
from lucid.machines.messages import Transactions, VoteMessage


class Engine:
    """One validator's (or observer's) engine. `secret` is its Ed25519 seed; `reader` reads its own store."""

    def __init__(
        self,
        secret: bytes,
        genesis: Genesis,
        crypto: Crypto,
        reader: Reader,
        limits: Limits = DEFAULT_LIMITS,
        rules_known: int = RULES_KNOWN,
    ) -> None:
        self.rules_known = rules_known
        self.halted: Halt | None = None
        """Why it signs nothing any more, for as long as it lives: its release is too old for the chain."""
        self.limits = limits
        self.genesis = genesis
        self.parameters = genesis.parameters
        self.chain_id = genesis.chain_id
        self._signer = Signer(secret, genesis, crypto, reader)
        self.key = self._signer.key
        self.log = self._signer.log
        """What it has signed, and so what it may still sign."""
        self.polls = Polls(self.chain_id, crypto, limits.views_ahead)
        self.timeout = Timeout(self.parameters.slot_timeout_ms)
        self.admission = Admission(secret, self.key, genesis, crypto, reader, limits)
        self.state: ViewState | None = None
        """Where it stands; None before its manager has told it of a view."""
        self._alarms = Alarms()
        self._clock = ViewClock(genesis, self.timeout)
        request = BuildRequest(secret, genesis, crypto, self.polls, self.admission, limits)
        self._proposer = Proposer(self._signer, request, self._clock, self._alarms, self.timeout)
        self._held = HeldProposal(self._alarms)
        self._heartbeats = Heartbeats(secret, self.key, self.chain_id, self.parameters, crypto)

    @property
    def context(self) -> ViewContext | None:
        """The newest facts about the view; None before there are any."""
        return None if self.state is None else self.state.context

    @property
    def view(self) -> tuple[int, int]:
        """(epoch, view) that this engine is in; (0, 0) before it knows one."""
        return (0, 0) if self.state is None else self.state.view

    def handle(self, now: int, event: EngineEvent) -> Effects:
        """Take one event at `now` (ms since the Unix epoch, this node's clock) and return what is to be done."""
        if self.halted is not None:
            return self._stand_by(event)
        match event:
            case VoteMessage():
                return self.count(now, event)
            case Transactions():
                return self.admission.on_transactions(now, event)
            case CertificateStored():
                return self._on_certificate(now, event)
            case Verdict():
                return self._on_verdict(now, event)
            case ViewContext():
                return self._on_context(now, event)
            case BlockBuilt():
                return self._on_built(event)
            case Finalized():
                self.timeout.became_final()
                return self.admission.on_finalized(event)
            case TimerFired():
                return self._on_timer(now, event.timer)
            case Submitted():
                return self.admission.on_submitted(event)
            case Started():
                return self.admission.on_started(now)
            case Halt():
                return self._halt(event)
            case _:
                assert_never(event)

    # -- rules that this release does not know ---------------------------------------------------------------------

    def _halt(self, halt: Halt) -> Effects:
        """Sign nothing any more, nor ask for anything. What was accepted from clients stays, for a newer release."""
        # Under rules that it cannot judge by, any vote could be for a block that they forbid (section 12).
        self.halted = halt
        return self._alarms.silence()

    def _stand_by(self, event: EngineEvent) -> Effects:
        # A client waits for its answer; all others are told by the manager, which stops too.
        if isinstance(event, Submitted):
            return [Respond(event.request, b"", Code.RULES_UNKNOWN)]
        return []

    # -- entering views ------------------------------------------------------------------------------------------

    def _on_context(self, now: int, context: ViewContext) -> Effects:
        """The manager's first word after a start, or a better parent for the view."""
        state = self.state
        if state is None or (context.epoch, context.view) > state.view:
            return self._enter(now, context, skipped=False)
        # Views only go forward, also where the manager lost its store and comes to this one again (rule 1).
        if (context.epoch, context.view) < state.view:
            return []
        moved = context.parent != state.context.parent and not state.timed_out
        self.state = state.on(context)
        # A later parent makes the proposal due later: a timer that has not fired waits for that (rule 1).
        effects: Effects = [self._view_timer()] if moved else []
        return effects + self._prepare_proposal(now)

    def _on_certificate(self, now: int, event: CertificateStored) -> Effects:
        certificate, context = event.certificate, event.context
        effects: Effects = []
        # Pages of an older chain come without certificates to act on: this one was made while this node looked on. A
        # key whose log was lost needs that, as the clock alone may be wrong (section 4, vote log).
        self._signer.witness(certificate.kind)
        # Rule 5 asks for the block itself; when it comes later, the manager tells of the certificate again. This is
        # before the next view is entered, as how this one was spent decides.
        if certificate.kind == NOTARIZE and event.held:
            effects += self._vote_finalize(now, certificate)
        if (context.epoch, context.view) > self.view:
            skipped = certificate.kind == SKIP
            # A view that its block ended only after the timer fired here was too short, too: nothing is final by it.
            self.timeout.view_ended(skipped or (self.state is not None and self.state.timed_out))
            effects += self._enter(now, context, skipped)
        else:
            effects += self._on_context(now, context)
        return effects

    def _enter(self, now: int, context: ViewContext, skipped: bool) -> Effects:
        """Rule 1. Enter a view: arm its timer, and propose when it is this node's turn."""
        if context.rules > self.rules_known:
            # The manager is of a newer release than this engine (section 12).
            return self._halt(Halt(height=context.parent_height + 1, rules=context.rules))
        guarded = False
        if self.state is None or self.state.context.epoch != context.epoch:
            guarded = self._open_epoch(now, context)
        view = (context.epoch, context.view)
        # Not stored yet: until something is signed here, a restart has nothing to contradict.
        self.log.arrive(view, context.entry)
        # Late votes are credited in their block's slot and the next one (section 6), so older ones are of no use.
        self.polls.keep_views(context.view - 2 * self.parameters.slot_views, context.view)
        # After a restart both certificates may be held; which came first is not known, so it is taken to be the skip,
        # on which no finalize is signed (rule 5).
        by_skip = skipped or context.skipped
        self.state = ViewState(context=context, entered_ms=now, entry_view=context.parent_view, by_skip=by_skip)
        effects: Effects = [
            Observe(EnteredView(context.epoch, context.view, skipped)),
            self._view_timer(),
            self._alarms.arm(RESEND_TIMER, now + self.timeout.base_ms),
            self._alarms.disarm(HOLD_TIMER),
            self._alarms.disarm(PROPOSE_TIMER),
        ]
        if guarded:
            # When a lost log was found missing must outlive this process, or each restart begins to wait anew.
            effects.insert(0, Store(self.log.writes()))
        effects += self._count_own(now)
        # Whoever signed finalize here signs no skip, nor anything in an epoch that it has left: others may need the
        # certificate by which it went on (section 4, vote log).
        if (owed := self.log.owed(view)) is not None:
            effects.append(Forward(Assembled(owed)))
        effects += self._heartbeat(context)
        effects += self._prepare_proposal(now)
        if (held := self._held.take()) is not None:
            effects += self._on_verdict(now, held)
        return effects

    def _heartbeat(self, context: ViewContext) -> Effects:
        beacon = self._heartbeats.beat(context) if self.key in self._validators() else None
        return [] if beacon is None else self.admission.submit_own(beacon)

    def _count_own(self, now: int) -> Effects:
        """Count what the log says that this node has signed: after a restart, nobody sends a node its own votes.

        Else a bare quorum whose members all restart would wait for each other forever. In every other case these
        votes are counted already, which costs nothing.
        """
        if self.key not in self._validators():
            return []
        epoch, view = self.view
        effects: Effects = []
        # The log has no older ones, and an older view is over.
        for each in (view - 1, view):
            for _, vote in sorted(self.log.votes((epoch, each)).items()):
                effects += self.count(now, VoteMessage(vote))
        return effects

    def _open_epoch(self, now: int, context: ViewContext) -> bool:
        """Count and admit for another epoch, the first one after a start included; returns whether the log changed."""
        self.polls.open_epoch(context.epoch, ValidatorSet(context.validators))
        self.admission.open_epoch(context)
        if self.state is None:
            # Until a block is final after a start, the parent tells how high the chain is.
            self.admission.height = max(self.admission.height, context.parent_height - 1)
        return self._signer.open_epoch(context, now)

    def _view_timer(self) -> SetTimer:
        assert self.state is not None
        return self._alarms.arm(VIEW_TIMER, self._clock.ends_ms(self.state))

    # -- leading -------------------------------------------------------------------------------------------------

    def _prepare_proposal(self, now: int) -> Effects:
        """Rule 2. When this node leads the view: build now, or when the tick comes."""
        assert self.state is not None
        self.state, effects = self._proposer.prepare(now, self.state)
        return effects

    def _on_built(self, event: BlockBuilt) -> Effects:
        """Take what a block was refused, and propose it if it is still the one that was asked for."""
        effects = self.admission.on_rejected(event.rejected)
        if self.state is None:
            return effects
        self.state, proposed = self._proposer.built(event, self.state)
        return effects + proposed

    # -- voting --------------------------------------------------------------------------------------------------

    def _on_verdict(self, now: int, verdict: Verdict) -> Effects:
        """Rule 3. Sign for the first valid and timely proposal of the view; one on an older
        parent waits for a better one."""
        state = self.state
        if state is None or (verdict.epoch, verdict.view) > state.view:
            self._held.verdict = verdict
            return []
        # Once its timer fired a node is for the skip alone (rule 4).
        if (verdict.epoch, verdict.view) != state.view or state.timed_out or not self._votes_here(NOTARIZE):
            return []
        from_ms = self._clock.from_ms(verdict, state)
        if now < from_ms:
            return self._held.hold(verdict, from_ms, state.view)
        if self._clock.too_late(now, verdict):
            return []
        return self._vote(now, NOTARIZE, verdict.block)

    def _vote_finalize(self, now: int, certificate: Certificate) -> Effects:
        """Rule 5. On leaving a view by its notarization, or once its block is at hand.

        Never when the view's timer fired, nor when its skip certificate came first: whoever signs a skip or goes on
        by one must not help to make a block of that view final.
        """
        state, epoch, view = self.state, certificate.epoch, certificate.view
        if state is None or epoch != state.context.epoch or self.key not in self._validators():
            return []
        current = state.context.view
        if (view == current and state.timed_out) or (view == current - 1 and state.by_skip):
            return []
        # Of older views the log does not know any more what it signed, so it signs nothing there.
        if view < current - 1 or not self.log.may_sign(epoch, view, FINALIZE):
            return []
        self.log.keep(certificate)
        return self._vote(now, FINALIZE, certificate.block, view)

    def _vote(self, now: int, kind: int, block: bytes, view: int | None = None) -> Effects:
        """Sign a vote, and count it, as nobody else sends it to this node."""
        context = self.context
        assert context is not None
        vote, effects = self._signer.vote(context.epoch, context.view if view is None else view, kind, block)
        # It has just been said, so it is repeated a whole base timeout later (section 4, Nothing is lost in silence).
        effects.append(self._alarms.arm(RESEND_TIMER, now + self.timeout.base_ms))
        return effects + self.count(now, VoteMessage(vote))

    def _votes_here(self, kind: int) -> bool:
        """Whether this node is a validator that may still sign `kind` in the current view."""
        assert self.context is not None
        return self.key in self._validators() and self.log.may_sign(self.context.epoch, self.context.view, kind)

    def _validators(self) -> dict[bytes, int]:
        assert self.polls.validators is not None
        return self.polls.validators.index

    def count(self, now: int, message: VoteMessage) -> Effects:
        """`handle`, for a driver that knows that it is a vote."""
        if self.halted is not None:
            return self._stand_by(message)
        polls = self.polls
        try:
            certificate = polls.count(message.vote)
        except Refusal as refusal:
            return [Observe(Refused(refusal.code))]
        effects: Effects = [] if certificate is None else [Forward(Assembled(certificate))]
        if polls.evidence:
            # It goes on the chain, where it costs the guilty its turn to lead (section 4, Evidence).
            evidence, polls.evidence = polls.evidence, []
            for each in evidence:
                effects += self.admission.submit_own(each)
        return effects

    # -- timers --------------------------------------------------------------------------------------------------

    def _on_timer(self, now: int, timer: str) -> Effects:
        if self.state is None:
            return []
        at_ms = self._alarms.at(timer)
        instead = self._alarms.fired(now, timer)
        if instead is not None:
            return instead
        if timer == VIEW_TIMER:
            return self._vote_for_held(now, at_ms) + self._on_view_timer(now, self.state)
        if timer == PROPOSE_TIMER:
            return self._prepare_proposal(now)
        if timer == HOLD_TIMER:
            return [] if self._held.verdict is None else self._on_verdict(now, self._held.verdict)
        assert timer == RESEND_TIMER
        return self._resend(now)

    def _vote_for_held(self, now: int, before_ms: int) -> Effects:
        """Vote for what is held if its moment came before another one that has come: a process that was stopped hears
        of both when it goes on, in any order."""
        if self._held.verdict is None or not 0 < self._alarms.at(HOLD_TIMER) < before_ms:
            return []
        return [self._alarms.disarm(HOLD_TIMER), *self._on_verdict(now, self._held.verdict)]

    def _on_view_timer(self, now: int, state: ViewState) -> Effects:
        """Rule 4. Too late for a block in this view: give it up."""
        self.state = state.after(Cause.TIMER)
        effects: Effects = [Observe(TimedOut(*state.view))]
        # Not where it signed finalize: what is final must not be passed over (section 4, why this is safe).
        if self._votes_here(SKIP):
            effects += self._vote(now, SKIP, b"")
        return effects

    def _resend(self, now: int) -> Effects:
        """Say again what was said in this view, and how the last one was left."""
        # What was on its way is lost with a connection: so the chain goes on as soon as q can talk (section 4).
        return [
            self._alarms.arm(RESEND_TIMER, now + self.timeout.base_ms),
            Forward(Retransmit(*self.view, self.log.outstanding(self.view))),
        ]
