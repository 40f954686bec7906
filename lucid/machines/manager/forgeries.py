"""What each peer sent that no honest node sends: after a few, nothing more of it is looked at for a while."""

from __future__ import annotations

from lucid.chain.errors import Code
from lucid.machines.effects import Observe, Refused
from lucid.machines.limits import Limits
from lucid.machines.quota import MINUTE_MS, Quota

FORGED = frozenset((Code.CERTIFICATE_INVALID, Code.PROPOSAL_INVALID))
"""Refusals that cost a signature, and that an honest peer never causes: it sends what it has verified."""

UNASKED_A_MINUTE = 128
"""Answers that nobody waited for (section 8): an honest peer sends one where its answer came too late, so at most one
for each of this node's questions, of which there are far fewer. Each costs what it takes to decode a page."""


class Forgeries:
    """Signatures and certificates that did not hold, and answers that nobody waited for, by the peer that sent them.

    An honest node forwards only what it has verified, so each costs this node the work of looking and tells of a liar.
    Who sent `forgeries_a_minute` of them, or `UNASKED_A_MINUTE` answers unasked, is not heard for the rest of that
    minute of this node's clock.
    """

    def __init__(self, limits: Limits) -> None:
        self._counted = Quota(limits.forgeries_a_minute, MINUTE_MS)
        self._unasked = Quota(UNASKED_A_MINUTE, MINUTE_MS)
        self.any = False
        """Whether anything was ever counted."""

    def refused(self, now: int, peer: bytes | None, code: Code) -> Observe:
        """Something was refused; if a peer sent it and no honest one would have, it counts. None is this node."""
        # Other refusals say nothing against who sent it: honest nodes are late, or ahead, as well (section 8).
        if peer is not None and (code in FORGED or code is Code.UNEXPECTED):
            (self._unasked if code is Code.UNEXPECTED else self._counted).spend(now, peer)
            self.any = True
        return Observe(Refused(code))

    def barred(self, now: int, peer: bytes) -> bool:
        """Whether a peer is not heard now."""
        return self._counted.spent(now, peer) or self._unasked.spent(now, peer)
