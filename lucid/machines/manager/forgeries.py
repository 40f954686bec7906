"""What each peer sent that no honest node sends: after a few, nothing more of it is looked at for a while."""

from __future__ import annotations

from lucid.chain.errors import Code
from lucid.machines.effects import Observe, Refused
from lucid.machines.limits import Limits

MINUTE_MS = 60_000
FORGED = frozenset((Code.CERTIFICATE_INVALID, Code.PROPOSAL_INVALID))
"""Refusals that cost a signature, and that an honest peer never causes: it sends what it has verified."""


class Forgeries:
    """Signatures and certificates that did not hold, by the peer that sent them.

    An honest node forwards only what it has verified, so each costs this node the work of looking and tells of a liar.
    Who sent `forgeries_a_minute` of them is not heard for the rest of that minute of this node's clock.
    """

    def __init__(self, limits: Limits) -> None:
        self._most = limits.forgeries_a_minute
        self._counts: dict[bytes, tuple[int, int]] = {}

    def refused(self, now: int, peer: bytes | None, code: Code) -> Observe:
        """Something was refused; if a peer sent it and no honest one would have, it counts. None is this node."""
        if peer is not None and code in FORGED:
            self.count(now, peer)
        return Observe(Refused(code))

    def count(self, now: int, peer: bytes) -> None:
        """Note that a peer sent something that does not hold."""
        minute = now // MINUTE_MS
        since, count = self._counts.get(peer, (minute, 0))
        self._counts[peer] = (minute, count + 1 if since == minute else 1)

    def barred(self, now: int, peer: bytes) -> bool:
        """Whether a peer is not heard now."""
        since, count = self._counts.get(peer, (0, 0))
        return count >= self._most and since == now // MINUTE_MS
