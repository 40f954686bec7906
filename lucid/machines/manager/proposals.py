"""Proposals of others: judged when all that they stand on is at hand, and until then kept (protocol section 4)."""

from __future__ import annotations

from typing import NamedTuple, assert_never

from lucid.chain.blocks import Block
from lucid.chain.certificates import Certificate
from lucid.chain.codec import encode
from lucid.chain.errors import Code, Refusal
from lucid.chain.keys import Crypto
from lucid.chain.votes import NOTARIZE, PROPOSE, Vote, vote_message
from lucid.machines.chain import Chain
from lucid.machines.effects import Effects, Forward, Observe, Refused, Verdict
from lucid.machines.forktree import ForkNode
from lucid.machines.manager.book import CertificateBook
from lucid.machines.manager.dissemination import Dissemination
from lucid.machines.manager.gaps import Gaps
from lucid.machines.manager.pool import ProposalKey, ProposalPool
from lucid.machines.messages import Proposal, VoteMessage


class _Take(NamedTuple):
    """Take a certificate; if it is new, look again at what waits. None as peer is this node's engine."""

    certificate: Certificate
    peer: bytes | None


class _LookAgain(NamedTuple):
    """Look again at a proposal that waits; `ask` for the certificates that it lacks."""

    key: ProposalKey
    ask: bool


class _Consider(NamedTuple):
    """See whether a proposal's parent is at hand and whether its leader signed it."""

    peer: bytes
    message: Proposal
    ask: bool


class _Judge(NamedTuple):
    """Judge a proposal of the view's leader, whose certificate was `taken` just now unless it was held before."""

    peer: bytes
    message: Proposal
    base_view: int
    ask: bool
    taken: bool


_Step = _Take | _LookAgain | _Consider | _Judge


class Proposals:
    """Judges what leaders put forward, on what `book` and `pool` hold."""

    def __init__(
        self,
        chain: Chain,
        crypto: Crypto,
        book: CertificateBook,
        pool: ProposalPool,
        gaps: Gaps,
        dissemination: Dissemination,
    ) -> None:
        self.chain = chain
        self.book = book
        self.pool = pool
        self.gaps = gaps
        self.dissemination = dissemination
        self._crypto = crypto

    # -- what comes in -------------------------------------------------------------------------------------------

    def learn(self, now: int, certificate: Certificate, peer: bytes | None) -> Effects:
        """Take a certificate and look again at what waited for it. None as peer is this node's engine."""
        return self._do(now, [_Take(certificate, peer)])

    def look_again(self, now: int) -> Effects:
        """Look again at all that waits, after blocks or certificates came; ask for what it still lacks."""
        return self._do(now, self._waiting(ask=True))

    def on_proposal(self, now: int, peer: bytes, message: Proposal) -> Effects:
        """Take a proposal from a peer; raises `Refusal`."""
        vote, tree = message.vote, self.chain.tree
        # A later one's leader follows from blocks that this node lacks; an earlier one is decided (section 4,
        # Proposals).
        if vote.epoch != tree.epoch:
            if vote.epoch > tree.epoch:
                return self.book.syncing.behind(now, peer)
            raise Refusal(Code.PROPOSAL_STALE)
        hash_ = message.block.header.hash
        # The hash is of the header that came, so a vote cannot be laid over another block.
        if vote.kind != PROPOSE or vote.block != hash_:
            raise Refusal(Code.PROPOSAL_INVALID, "vote and block differ")
        known = self.pool.judged.get((vote.view, vote.signer))
        if known is not None and (known != hash_ or hash_ not in tree.wanted):
            if known == hash_:
                again = self.dissemination.relay(peer, message) if hash_ in tree.nodes else []
                if again:
                    # It came by way of somebody else before; its leader lacks this group's votes.
                    return again
                raise Refusal(Code.REPLAYED)
            return self._equivocates(vote)
        # Nobody can vote for it any more, so its block would be judged for nothing, unless others wait for that.
        if self._stale(message):
            raise Refusal(Code.PROPOSAL_STALE)
        held, root = len(tree.nodes), tree.root
        effects = self._do(now, [_Consider(peer, message, ask=True)])
        # A block that others wait for may come after them, and be final at once, which lets go of what is before it.
        tree = self.chain.tree
        came = len(tree.nodes) > held or tree.root is not root
        return effects + self.look_again(now) if came else effects

    def _stale(self, message: Proposal) -> bool:
        """Whether nobody can vote for a proposal any more, and its block is not one that is asked for."""
        tree, hash_ = self.chain.tree, message.vote.block
        return hash_ == tree.root.hash or (message.vote.view <= tree.entry_view and hash_ not in tree.wanted)

    def _equivocates(self, vote: Vote) -> Effects:
        """A second proposal of one signer in one view: evidence once, and no more work after that."""
        refused = Observe(Refused(Code.PROPOSAL_EQUIVOCATES))
        # Evidence once a view and signer: more of them would be work for everybody to no end (section 4, Evidence).
        if (vote.view, vote.signer) in self.pool.accused:
            return [refused]
        self._check_signed(vote)
        self.pool.accused.add((vote.view, vote.signer))
        return [refused, Forward(VoteMessage(vote))]

    # -- the way of a certificate, and of a proposal -------------------------------------------------------------

    def _do(self, now: int, first: list[_Step]) -> Effects:
        """Do some steps, and what each leads to before the next one.

        A certificate lets those go on that waited for it, a proposal brings the certificate that it stands on, and
        that may again be what others waited for. What is learned on the way stays learned if a proposal is refused,
        so a refusal is an effect among the others.
        """
        effects: Effects = []
        steps = first[::-1]
        while steps:
            step = steps.pop()
            follow: list[_Step] = []
            match step:
                case _Take():
                    effects += self._take(now, step, follow)
                case _LookAgain():
                    self._look(step, follow)
                case _Consider():
                    effects += self._refusing(now, step, follow)
                case _Judge():
                    effects += self._refusing(now, step, follow)
                case _:
                    assert_never(step)
            steps += follow[::-1]
        return effects

    def _waiting(self, ask: bool) -> list[_Step]:
        """Look at all that waits, lowest view first."""
        return [_LookAgain(key, ask) for key in sorted(self.pool.waiting)]

    def _take(self, now: int, step: _Take, follow: list[_Step]) -> Effects:
        held = self.chain.tree.certificates
        count = len(held)
        effects = self.book.take(now, step.certificate, step.peer)
        if len(held) > count:
            follow += self._waiting(ask=False)
        return effects

    def _look(self, step: _LookAgain, follow: list[_Step]) -> None:
        waiting = self.pool.waiting.pop(step.key, None)
        if waiting is not None and not self._stale(waiting.message):
            follow.append(_Consider(waiting.peer, waiting.message, step.ask))

    def _refusing(self, now: int, step: _Consider | _Judge, follow: list[_Step]) -> Effects:
        """Do a step that may refuse its proposal."""
        try:
            return self._consider(now, step, follow) if isinstance(step, _Consider) else self._judge(now, step)
        except Refusal as refusal:
            return [self.book.forgeries.refused(now, step.peer, refusal.code)]

    def _consider(self, now: int, step: _Consider, follow: list[_Step]) -> Effects:
        """Check who put a proposal forward, if its parent is at hand; then its certificate is taken, and it is judged.

        Raises `Refusal`, before anything is learned.
        """
        peer, message, ask = step
        vote, block, tree = message.vote, message.block, self.chain.tree
        parent = tree.nodes.get(block.header.parent)
        node = tree.nodes.get(vote.block)
        # Who leads cannot be told without the parent, so any validator's is kept, bounded by view and signer (section
        # 4).
        if parent is None and node is None:
            self._check_signed(vote)
            self._check_bound(block)
            self.pool.wait(peer, message)
            return self.book.syncing.behind(now, peer)
        effects: Effects = []
        repeats = vote.view != block.header.view
        if repeats:
            notarization = self._check_repeat(message)
            ahead: Certificate | None = notarization
            base_view = notarization.view
            if node is None:
                effects += self._take_closing(now, message)
                node = tree.nodes.get(vote.block)
                # Its finality was waiting: the closing block became final as it came, and the next epoch has opened.
                if tree.epoch != vote.epoch or node is None:
                    return effects
        else:
            ahead = block.parent_certificate
            base_view = self.gaps.base_view(ahead)
        stand_on = node if repeats else parent
        assert stand_on is not None, "the root is not proposed again, and every other block's parent is at hand"
        try:
            self._check_leader(vote, stand_on, repeats)
        except Refusal as refusal:
            return [*effects, self.book.forgeries.refused(now, peer, refusal.code)]
        # Only a leader has others take a certificate by its proposal: anyone else sends it as such.
        taken = ahead is not None and ahead.epoch == tree.epoch and (ahead.view, ahead.kind) not in tree.certificates
        if ahead is not None and taken:
            follow.append(_Take(ahead, peer))
        follow.append(_Judge(peer, message, base_view, ask, taken))
        return effects

    def _judge(self, now: int, step: _Judge) -> Effects:
        """Judge a leader's proposal once all skips between are held; raises `Refusal`."""
        peer, message = step.peer, step.message
        vote, tree = message.vote, self.chain.tree
        # What it stands on may have been what others waited for: looked at again, it is judged already.
        if step.taken and (tree.epoch != vote.epoch or (vote.view, vote.signer) in self.pool.judged):
            return []
        gap = tree.missing_skips(step.base_view, vote.view)
        if gap is None:
            return self._accept(peer, message, step.base_view)
        self.pool.wait(peer, message)
        effects = self.gaps.watch(now)
        return effects + self.gaps.ask(peer, gap) if step.ask else effects

    def _take_closing(self, now: int, message: Proposal) -> Effects:
        """A closing block comes again to a node that missed it: its notarization vouches for it, so it is taken now."""
        notarization = message.notarization
        assert notarization is not None, "a repeat was checked"
        self._check_signed(message.vote)
        self._check_bound(message.block)
        node = self.chain.judge(message.block, message.vote.block)
        return [*self.book.take(now, notarization, None), *self.book.add(node)]

    def _accept(self, peer: bytes, message: Proposal, base_view: int) -> Effects:
        """Judge a proposal that has all that it stands on, and let the engine vote; raises `Refusal`."""
        vote, hash_ = message.vote, message.vote.block
        key: ProposalKey = (vote.view, vote.signer)
        node = self.chain.tree.nodes.get(hash_)
        effects: Effects = []
        if node is None:
            # Not the leader's word: whoever passed it on may have put in another body, so nothing is noted against it.
            if not message.block.matches_header:
                raise Refusal(Code.PROPOSAL_INVALID, "body does not match the header")
            # Whatever is wrong from here on, the leader signed it: no other block of it is judged in this view.
            self.pool.judged[key] = hash_
            try:
                node = self.chain.judge(message.block, hash_)
            except Refusal as refusal:
                self.pool.waiting.pop(key, None)
                if refusal.code is Code.BLOCK_SIGNATURE:
                    # But for the signature beside the header, which anyone can replace on the way.
                    del self.pool.judged[key]
                raise
            effects += self.book.add(node)
        else:
            self._check_same(message.block, node)
        self.pool.waiting.pop(key, None)
        # Its own finality waited for it, and it closed the epoch: nobody votes in that any more.
        if self.chain.tree.epoch != vote.epoch:
            return effects
        self.pool.judged[key] = hash_
        verdict = Verdict(
            epoch=vote.epoch,
            view=vote.view,
            block=hash_,
            base_view=base_view,
            tick=node.ledger.core.head.tick,
            fresh=vote.view == message.block.header.view,
        )
        self.pool.verdict = verdict
        effects += self.dissemination.relay(peer, message)
        return [*effects, Forward(VoteMessage(vote)), Forward(verdict)]

    # -- checks: each raises `Refusal` ---------------------------------------------------------------------------

    def _check_repeat(self, message: Proposal) -> Certificate:
        """A block comes again only to close its epoch, with its notarization, which is returned."""
        notarization, header = message.notarization, message.block.header
        if (
            # Within an epoch a leader makes its own block: only the last one, on which nothing is built, comes again.
            (header.epoch, header.view >= self.chain.parameters.epoch_views) != (self.chain.tree.epoch, True)
            or notarization is None
            or notarization.kind != NOTARIZE
            or notarization.block != message.vote.block
            or not header.view <= notarization.view < message.vote.view
            or not self.chain.verify(notarization)
        ):
            raise Refusal(Code.PROPOSAL_INVALID, "no closing block to repeat")
        return notarization

    def _check_bound(self, block: Block) -> None:
        """The header commits to the body, and its proposer signed it: nobody on the way has put in another."""
        header = block.header
        # Before it is kept: 64 of them wait at most, and each has a bound.
        if len(encode(block)) > self.chain.parameters.max_block_bytes:
            raise Refusal(Code.BLOCK_SIZE)
        if not block.matches_header or not self._crypto.verify(header.proposer, header.hash, block.signature):
            raise Refusal(Code.PROPOSAL_INVALID, "body does not match the header")

    def _check_leader(self, vote: Vote, stand_on: ForkNode, repeats: bool) -> None:
        """Whoever else signs a proposal gets no hearing: its block would be work for every node (section 4)."""
        if vote.signer != self.chain.leader(stand_on, vote.view, repeats):
            raise Refusal(Code.PROPOSAL_INVALID, "not by the leader of its view")
        self._check_signed(vote)

    def _check_signed(self, vote: Vote) -> None:
        message = vote_message(self.chain.chain_id, vote.epoch, vote.view, PROPOSE, vote.block)
        # A stranger's proposal would take the room of one that waits, and its block the time to judge it.
        if vote.signer not in self.chain.validators.index or not self._crypto.verify(
            vote.signer, message, vote.signature
        ):
            raise Refusal(Code.PROPOSAL_INVALID, "not signed by a validator")

    def _check_same(self, block: Block, node: ForkNode) -> None:
        """The body and signature of a block that is at hand already must hold too: the message may be passed on.

        Signatures may differ, since a proposer can sign one header in two ways.
        """
        held = node.block
        assert held is not None, "the root is not proposed again"
        # Else a body that is not the leader's would be passed on in its name, and this node be taken for a forger.
        if block != held and (
            (block.parent_certificate, block.late_votes, block.transactions)
            != (held.parent_certificate, held.late_votes, held.transactions)
            or not self._crypto.verify(block.header.proposer, node.hash, block.signature)
        ):
            raise Refusal(Code.PROPOSAL_INVALID, "body does not match the header")
