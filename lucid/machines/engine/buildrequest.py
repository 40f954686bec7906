"""What a leader asks its manager to make a block of: late votes, transactions, and proof of its turn's randomness."""

from __future__ import annotations

from lucid.chain.genesis import Genesis
from lucid.chain.keys import Crypto
from lucid.machines.effects import Build, ViewContext
from lucid.machines.engine.admission import Admission
from lucid.machines.engine.polls import Polls
from lucid.machines.limits import Limits


class BuildRequest:
    """The requests of one key's node, each for the view that it leads."""

    def __init__(
        self, secret: bytes, genesis: Genesis, crypto: Crypto, polls: Polls, admission: Admission, limits: Limits
    ) -> None:
        self._secret = secret
        self._genesis = genesis
        self._crypto = crypto
        self._polls = polls
        self._admission = admission
        self._limits = limits

    def make(self, now: int, context: ViewContext) -> Build:
        """The request for a block on the view's parent, of the tick that it is, or of the first one that is due."""
        entry = context.entry
        # The block carries the parent's own certificate, whose signers are credited by that; of what came beside it,
        # a slot back is as far as votes earn anything (section 6, rules of a block).
        late_votes = self._polls.late_votes(
            entry if entry is not None and entry.block == context.parent else None,
            context.view - 2 * self._genesis.parameters.slot_views,
            context.parent_view,
            self._limits.late_votes,
        )
        return Build(
            view=context.view,
            parent=context.parent,
            tick=max(context.parent_tick + 1, self._genesis.tick_at(now)),
            vrf_proof=self._crypto.vrf_prove(self._secret, context.beacon),
            late_votes=late_votes,
            candidates=self._admission.candidates(context.parent_height + 1),
        )
