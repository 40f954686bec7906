"""Where nodes stand: what this one repeats of itself, and answers a peer that is behind (protocol section 8)."""

from __future__ import annotations

from lucid.chain.certificates import Certificate
from lucid.chain.votes import FINALIZE, NOTARIZE, SKIP, Vote
from lucid.machines.chain import Chain
from lucid.machines.effects import Broadcast, Effects, Retransmit, Send
from lucid.machines.limits import Limits
from lucid.machines.manager.book import CertificateBook
from lucid.machines.messages import CertificateMessage, Standing, VoteMessage, encode_message
from lucid.machines.quota import SECOND_MS, Quota


class Standings:
    """Says where this node stands, to all or to those who need it."""

    def __init__(self, chain: Chain, book: CertificateBook, peers: tuple[bytes, ...], limits: Limits) -> None:
        self.chain = chain
        self.book = book
        self.peers = peers
        self._answered = Quota(limits.standings_a_second, SECOND_MS)
        self._told: tuple[Certificate, bytes] | None = None
        """The newest finality certificate that a peer was answered with, and the message."""
        self._sent_votes: tuple[Vote, ...] = ()
        """The newest votes of this node, down to the view before that of the last one."""

    # -- what this node says of itself ---------------------------------------------------------------------------

    def on_vote(self, vote: Vote) -> Effects:
        """Send out a vote, and remember it for a peer whose connection breaks meanwhile."""
        kept = [each for each in self._sent_votes if (each.epoch, each.view) >= (vote.epoch, vote.view - 1)]
        self._sent_votes = (*kept, vote)
        return [Broadcast(encode_message(VoteMessage(vote)))]

    def on_retransmit(self, event: Retransmit) -> Effects:
        """Repeat what is outstanding: to all while votes are, else to those not known to be in this view."""
        tree = self.chain.tree
        if (event.epoch, event.view) != (tree.epoch, tree.entry_view + 1):
            return []
        standing = self._standing(event.votes)
        # Votes concern everybody; where nothing is to be repeated, who is in this view needs no word (section 4).
        if standing.votes:
            return [Broadcast(encode_message(standing))]
        behind = [peer for peer in self.peers if self.book.peer_views.get(peer, 0) < event.view]
        return [Send(peer, encode_message(standing)) for peer in behind]

    def on_peer_joined(self, peer: bytes) -> Effects:
        """Say at once to a peer what the last connection may have lost.

        Connections that break as often as a view's timer fires would else lose every vote, and every repeat of it.
        """
        tree = self.chain.tree
        view = tree.entry_view + 1
        votes = [
            vote
            for vote in self._sent_votes
            if vote.epoch == tree.epoch and (vote.view == view or (vote.view == view - 1 and vote.kind == FINALIZE))
        ]
        return [Send(peer, encode_message(self._standing(tuple(votes))))]

    def _standing(self, votes: tuple[Vote, ...]) -> Standing:
        """Where this node stands, with those of its votes that still matter."""
        tree = self.chain.tree
        kept = tuple([vote for vote in votes if vote.kind != FINALIZE or vote.view > tree.root.certified])
        return Standing(tree.epoch, tree.entry_view + 1, tree.root.height, kept, tree.entry)

    # -- what it answers -----------------------------------------------------------------------------------------

    def on_standing(self, now: int, peer: bytes, message: Standing) -> Effects:
        """Answer a peer that is behind, in its view or in what is final."""
        # Of another epoch a view says nothing here: views begin at 1 in each.
        if message.epoch == self.chain.tree.epoch:
            self.book.peer_views[peer] = message.view
        if self._behind(message):
            return self.on_behind(now, peer, message)
        return self._finality(peer, message)

    def on_behind(self, now: int, peer: bytes, message: Standing) -> Effects:
        """That view's certificate, and where this node stands, to a peer in an earlier view; a few times a second."""
        # An answer is many times as long as what it answers: four of a peer's are answered in a second (section 4).
        if not self._behind(message) or not self._answered.spend(now, peer):
            return []
        tree = self.chain.tree
        effects: Effects = []
        if message.epoch == tree.epoch:
            for kind in (NOTARIZE, SKIP):
                certificate = tree.certificates.get((message.view, kind))
                # The entry certificate goes with the standing below.
                if certificate is not None and certificate is not tree.entry:
                    effects.append(Send(peer, encode_message(CertificateMessage(certificate))))
                    break
        effects += self._finality(peer, message)
        return [*effects, Send(peer, encode_message(self._standing(())))]

    def _behind(self, message: Standing) -> bool:
        """Whether a peer stands in an earlier view."""
        tree = self.chain.tree
        return (message.epoch, message.view) < (tree.epoch, tree.entry_view + 1)

    def _finality(self, peer: bytes, message: Standing) -> Effects:
        """The newest finality certificate, to a peer that holds less to be final."""
        final = self.chain.final_certificate
        if final is None or message.final_height >= self.chain.tree.root.height:
            return []
        if self._told is None or self._told[0] is not final:
            # Of a large network many are behind at once, and a certificate has the votes of two thirds of it.
            self._told = final, encode_message(CertificateMessage(final))
        return [Send(peer, self._told[1])]
