"""Gaps: the skip certificates that a proposal lacks, asked for of one peer after the other (section 4).

A proposal on an older block is safe only when every view between was skipped; without those certificates it waits.
"""

from __future__ import annotations

from lucid.chain.certificates import Certificate
from lucid.chain.errors import Code, Refusal
from lucid.machines.chain import Chain
from lucid.machines.effects import GAP_TIMER, Effects, Send, SetTimer
from lucid.machines.limits import Limits
from lucid.machines.manager.pool import ProposalPool
from lucid.machines.messages import CertificatesRequest, Proposal, encode_message


class Gaps:
    """Asks until the proposals that wait lack nothing more: the peer that sent one need not answer."""

    def __init__(self, key: bytes, chain: Chain, pool: ProposalPool, peers: tuple[bytes, ...], limits: Limits) -> None:
        self.key = key
        self.chain = chain
        self.pool = pool
        self.peers = peers
        self.limits = limits
        self._due_ms = 0
        self._turn = 0

    def base_view(self, ahead: Certificate | None) -> int:
        """The view of the certificate that a proposal stands on; 0 for the block that opened the epoch."""
        return ahead.view if ahead is not None and ahead.epoch == self.chain.tree.epoch else 0

    def ask(self, peer: bytes, views: tuple[int, int]) -> Effects:
        """Ask a peer for the skip certificates from one view to another; it may answer once.

        A proposal of this node's own waits like others: for it the next peer is asked.
        """
        asked = peer if peer != self.key else self._next()
        if asked is None:
            return []
        first, last = views
        request = CertificatesRequest(epoch=self.chain.tree.epoch, first=first, last=last)
        # One open question a peer: its answer is taken for these views alone (1005).
        self.pool.asked[asked] = request
        return [Send(asked, encode_message(request))]

    def answered(self, peer: bytes) -> CertificatesRequest:
        """What a peer's page of certificates answers; raises `UNEXPECTED`."""
        request = self.pool.asked.pop(peer, None)
        # Each certificate costs up to q signatures: nobody has this node verify what it did not ask for (section 8).
        if request is None:
            raise Refusal(Code.UNEXPECTED)
        return request

    def watch(self, now: int) -> Effects:
        """See to it that a gap is asked about again, of somebody else."""
        if self._due_ms:
            return []
        # The sender may have none of them, or be the leader that lies: every second the next peer is asked (section 4).
        self._due_ms = now + self.limits.gap_ms
        return [SetTimer(GAP_TIMER, self._due_ms)]

    def on_timer(self, now: int) -> Effects:
        """Ask the next peer for the skip certificates that a waiting proposal lacks, if one still does."""
        if now < self._due_ms:
            return [SetTimer(GAP_TIMER, self._due_ms)]
        self._due_ms = 0
        gap = self._gap()
        return [] if gap is None else self.ask_next(now, gap)

    def ask_next(self, now: int, gap: tuple[int, int]) -> Effects:
        """Ask the next peer for skip certificates, and again somebody else if they do not come."""
        peer = self._next()
        return [] if peer is None else [*self.ask(peer, gap), *self.watch(now)]

    def _next(self) -> bytes | None:
        """The next peer round, if there are any."""
        if not self.peers:
            return None
        self._turn += 1
        return self.peers[self._turn % len(self.peers)]

    def _gap(self) -> tuple[int, int] | None:
        """The views whose skips a proposal of the current view lacks, if it waits for them."""
        tree = self.chain.tree
        for (view, _), (_, message) in sorted(self.pool.waiting.items(), key=lambda each: each[0]):
            base_view = self.base_view(stands_on(message))
            # Of the current view alone: nobody votes in one that is over, nor yet in a later one.
            if view == tree.entry_view + 1 and (gap := tree.missing_skips(base_view, view)) is not None:
                return gap
        return None


def stands_on(message: Proposal) -> Certificate | None:
    """The certificate that a proposal brings along: of the block itself when it is repeated, else of its parent."""
    return message.notarization or message.block.parent_certificate
