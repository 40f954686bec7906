"""Proposals: judged when all that they stand on is at hand, built and sent out when it is this node's turn."""

from __future__ import annotations

from lucid.chain.blocks import Block, body_matches
from lucid.chain.certificates import Certificate
from lucid.chain.codec import encode
from lucid.chain.errors import Code, Refusal
from lucid.chain.transactions import Transaction
from lucid.chain.votes import NOTARIZE, PROPOSE, Vote, vote_message
from lucid.machines.effects import (
    GAP_TIMER,
    SPREAD_TIMER,
    BlockBuilt,
    Broadcast,
    Build,
    Effects,
    Observe,
    Proposed,
    Publish,
    Refused,
    Send,
    SetTimer,
    Tell,
    Verdict,
)
from lucid.machines.facts import Facts
from lucid.machines.forktree import ForkNode
from lucid.machines.messages import (
    CertificatesRequest,
    Proposal,
    VoteMessage,
    encode_message,
)
from lucid.machines.relay import Spreading, relay_groups, relay_targets


class Proposals(Facts):
    """The proposals of others, and this node's own."""

    def _learn(self, now: int, certificate: Certificate, peer: bytes | None) -> Effects:
        """Take a certificate and look again at what waited for it. None as peer is this node's engine."""
        certificates = self.chain.tree.certificates
        count = len(certificates)
        effects = self._take(now, certificate, peer)
        return effects + self._reconsider(now, False) if len(certificates) > count else effects

    def _on_proposal(self, now: int, peer: bytes, message: Proposal) -> Effects:
        vote, tree = message.vote, self.chain.tree
        if vote.epoch != tree.epoch:
            if vote.epoch > tree.epoch:
                return self.syncing.behind(now, peer)
            raise Refusal(Code.PROPOSAL_STALE)
        hash_ = message.block.header.hash
        if vote.kind != PROPOSE or vote.block != hash_:
            raise Refusal(Code.PROPOSAL_INVALID, "vote and block differ")
        known = self._proposals.get((vote.view, vote.signer))
        if known is not None and (known != hash_ or hash_ not in tree.wanted):
            if known == hash_:
                again = self._relay(peer, message) if hash_ in tree.nodes else []
                if again:
                    # It came by way of somebody else before; its leader lacks this group's votes.
                    return again
                raise Refusal(Code.REPLAYED)
            return self._equivocates(vote)
        if hash_ == tree.root.hash or (vote.view <= tree.entry_view and hash_ not in tree.wanted):
            raise Refusal(Code.PROPOSAL_STALE)
        held = len(tree.nodes)
        effects = self._consider(now, peer, message, hash_, True)
        # A block that others wait for may come after them.
        return effects + self._reconsider(now, True) if len(self.chain.tree.nodes) > held else effects

    def _equivocates(self, vote: Vote) -> Effects:
        """A second proposal of one signer in one view: evidence once, and no more work after that."""
        refused = Observe(Refused(Code.PROPOSAL_EQUIVOCATES))
        if (vote.view, vote.signer) in self._accused:
            return [refused]
        self._check_signed(vote)
        self._accused.add((vote.view, vote.signer))
        return [refused, Tell(VoteMessage(vote))]

    def _consider(self, now: int, peer: bytes, message: Proposal, hash_: bytes, ask: bool) -> Effects:
        """Judge a proposal, or keep it until what it stands on is at hand; `ask` for the certificates that it lacks.

        What is learned on the way stays learned if the proposal is refused, so a refusal past that is an effect.
        """
        vote, block, tree = message.vote, message.block, self.chain.tree
        parent = tree.nodes.get(block.header.parent)
        node = tree.nodes.get(hash_)
        if parent is None and node is None:
            self._check_signed(vote)
            self._check_bound(block)
            self._wait(peer, message)
            return self.syncing.behind(now, peer)
        effects: Effects = []
        repeats = vote.view != block.header.view
        if repeats:
            base_view = self._check_repeat(message)
            ahead: Certificate | None = message.notarisation
            if node is None:
                effects += self._take_closing(now, message, hash_)
                node = tree.nodes.get(hash_)
                if tree.epoch != vote.epoch or node is None:
                    return effects
        else:
            ahead = block.parent_certificate
            base_view = ahead.view if ahead is not None and ahead.epoch == tree.epoch else 0
        stand_on = node if repeats else parent
        assert stand_on is not None, "the root is not proposed again, and every other block's parent is at hand"
        try:
            self._check_leader(vote, stand_on, repeats)
            return effects + self._stand(now, peer, message, hash_, base_view, ahead, ask)
        except Refusal as refusal:
            return [*effects, *self._forged(now, peer, refusal.code)]

    def _stand(
        self,
        now: int,
        peer: bytes,
        message: Proposal,
        hash_: bytes,
        base_view: int,
        ahead: Certificate | None,
        ask: bool,
    ) -> Effects:
        """Take the certificate that a leader's proposal brings, and judge it once all skips between are held."""
        vote, tree = message.vote, self.chain.tree
        effects: Effects = []
        if ahead is not None and ahead.epoch == tree.epoch and (ahead.view, ahead.kind) not in tree.certificates:
            effects += self._learn(now, ahead, peer)
            if tree.epoch != vote.epoch or (vote.view, vote.signer) in self._proposals:
                return effects
        try:
            gap = tree.missing_skips(base_view, vote.view)
            if gap is not None:
                self._wait(peer, message)
                effects += self._watch_gap(now)
                request = CertificatesRequest(tree.epoch, *gap)
                return [*effects, *self._ask_certificates(peer, request)] if ask else effects
            return effects + self._accept(peer, message, hash_, base_view, vote.view == message.block.header.view)
        except Refusal as refusal:
            return [*effects, *self._forged(now, peer, refusal.code)]

    def _on_gap_timer(self, now: int) -> Effects:
        """Ask the next peer for the skip certificates that a waiting proposal lacks: its sender need not answer."""
        if now < self._gap_ms:
            return [SetTimer(GAP_TIMER, self._gap_ms)]
        self._gap_ms = 0
        gap = self._gap()
        if gap is None or not self.peers:
            return []
        self._gap_turn += 1
        peer = self.peers[self._gap_turn % len(self.peers)]
        return [*self._ask_certificates(peer, CertificatesRequest(self.chain.tree.epoch, *gap)), *self._watch_gap(now)]

    def _watch_gap(self, now: int) -> Effects:
        """See to it that a gap is asked about again, of somebody else."""
        if self._gap_ms:
            return []
        self._gap_ms = now + self.limits.gap_ms
        return [SetTimer(GAP_TIMER, self._gap_ms)]

    def _gap(self) -> tuple[int, int] | None:
        """The views whose skips a proposal of the current view lacks, if it waits for them."""
        tree = self.chain.tree
        for (view, _), (_, message) in sorted(self._waiting.items(), key=lambda each: each[0]):
            ahead = message.notarisation or message.block.parent_certificate
            base_view = ahead.view if ahead is not None and ahead.epoch == tree.epoch else 0
            if view == tree.entry_view + 1 and (gap := tree.missing_skips(base_view, view)) is not None:
                return gap
        return None

    def _ask_certificates(self, peer: bytes, request: CertificatesRequest) -> Effects:
        """Ask a peer for the certificates of some views; it may answer once."""
        self._asked[peer] = request
        return [Send(peer, encode_message(request))]

    def _take_closing(self, now: int, message: Proposal, hash_: bytes) -> Effects:
        """A closing block comes again to a node that missed it: its notarization vouches for it, so it is taken now."""
        notarisation = message.notarisation
        assert notarisation is not None, "a repeat was checked"
        self._check_signed(message.vote)
        self._check_bound(message.block)
        node = self.chain.judge(message.block, hash_)
        return [*self._take(now, notarisation, None), *self._add(node)]

    def _accept(self, peer: bytes, message: Proposal, hash_: bytes, base_view: int, fresh: bool) -> Effects:
        """Judge a proposal that has all that it stands on, and let the engine vote; raises `Refusal`."""
        vote = message.vote
        node = self.chain.tree.nodes.get(hash_)
        effects: Effects = []
        if node is None:
            if not body_matches(message.block):
                raise Refusal(Code.PROPOSAL_INVALID, "body does not match the header")
            # Whatever is wrong from here on, the leader signed it: no other block of it is judged in this view.
            self._proposals[vote.view, vote.signer] = hash_
            try:
                node = self.chain.judge(message.block, hash_)
            except Refusal as refusal:
                self._waiting.pop((vote.view, vote.signer), None)
                if refusal.code is Code.BLOCK_SIGNATURE:
                    # But for the signature beside the header, which anyone can replace on the way.
                    del self._proposals[vote.view, vote.signer]
                raise
            effects += self._add(node)
        else:
            self._check_same(message.block, node)
        self._waiting.pop((vote.view, vote.signer), None)
        if self.chain.tree.epoch != vote.epoch:
            return effects
        self._proposals[vote.view, vote.signer] = hash_
        head = node.ledger.core.head
        self._verdict = verdict = Verdict(vote.epoch, vote.view, hash_, base_view, head.tick, fresh)
        effects += self._relay(peer, message)
        return [*effects, Tell(VoteMessage(vote)), Tell(verdict)]

    def _check_repeat(self, message: Proposal) -> int:
        """A block comes again only to close its epoch, with its notarization; returns the view of that."""
        notarisation, header = message.notarisation, message.block.header
        if (
            (header.epoch, header.view >= self.chain.parameters.epoch_views) != (self.chain.tree.epoch, True)
            or notarisation is None
            or notarisation.kind != NOTARIZE
            or notarisation.block != message.vote.block
            or not header.view <= notarisation.view < message.vote.view
            or not self.chain.verify(notarisation)
        ):
            raise Refusal(Code.PROPOSAL_INVALID, "no closing block to repeat")
        return notarisation.view

    def _check_bound(self, block: Block) -> None:
        """The header commits to the body, and its proposer signed it: nobody on the way has put in another."""
        header = block.header
        if len(encode(block)) > self.chain.parameters.max_block_bytes:
            raise Refusal(Code.BLOCK_SIZE)
        if not body_matches(block) or not self._crypto.verify(header.proposer, header.hash, block.signature):
            raise Refusal(Code.PROPOSAL_INVALID, "body does not match the header")

    def _check_leader(self, vote: Vote, stand_on: ForkNode, repeats: bool) -> None:
        if vote.signer != self.chain.leader(stand_on, vote.view, repeats):
            raise Refusal(Code.PROPOSAL_INVALID, "not by the leader of its view")
        self._check_signed(vote)

    def _check_signed(self, vote: Vote) -> None:
        message = vote_message(self.chain.chain_id, vote.epoch, vote.view, PROPOSE, vote.block)
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
        if block != held and (
            (block.parent_certificate, block.late_votes, block.transactions)
            != (held.parent_certificate, held.late_votes, held.transactions)
            or not self._crypto.verify(block.header.proposer, node.hash, block.signature)
        ):
            raise Refusal(Code.PROPOSAL_INVALID, "body does not match the header")

    def _wait(self, peer: bytes, message: Proposal) -> None:
        """Keep a proposal that a validator signed; each has a place for each view, and the nearest views stay."""
        self._waiting.setdefault((message.vote.view, message.vote.signer), (peer, message))
        if len(self._waiting) > self.limits.max_waiting:
            del self._waiting[max(self._waiting)]

    def _reconsider(self, now: int, ask: bool) -> Effects:
        """Look again at proposals that waited, lowest view first."""
        effects: Effects = []
        tree = self.chain.tree
        for place in sorted(self._waiting):
            waiting = self._waiting.pop(place, None)
            if waiting is None:
                continue
            peer, message = waiting
            hash_ = message.vote.block
            if hash_ == tree.root.hash or (place[0] <= tree.entry_view and hash_ not in tree.wanted):
                continue
            try:
                effects += self._consider(now, peer, message, hash_, ask)
            except Refusal as refusal:
                effects += self._forged(now, peer, refusal.code)
        return effects

    def _relay(self, peer: bytes, message: Proposal) -> Effects:
        """Pass a large proposal that came from its leader itself on to the rest of this node's group, once."""
        origin, place = message.vote.signer, (message.vote.view, message.vote.signer)
        if peer != origin or place in self._relayed:
            return []
        data = encode_message(message)
        if len(data) <= self.limits.push_bytes:
            return []
        self._relayed.add(place)
        targets = relay_targets(self.chain.validators.keys, origin, self.key)
        return [Send(target, data) for target in targets]

    def _spread(self, now: int, vote: Vote, data: bytes, patience_ms: int) -> Effects:
        """Send out this node's own proposal: a small one to all, a large one to one of each group of validators."""
        keys = self.chain.validators.keys
        if len(data) <= self.limits.push_bytes or self.key not in keys:
            return [Broadcast(data)]
        self._spreading = spreading = Spreading(vote, data, relay_groups(keys, self.key), now, patience_ms)
        sends: Effects = [Send(target, data) for target in spreading.targets()]
        return [*sends, SetTimer(SPREAD_TIMER, spreading.due_ms)]

    def _on_spread_timer(self, now: int) -> Effects:
        """Send an own proposal to those again whose votes have not come, while its view lasts."""
        spreading, tree = self._spreading, self.chain.tree
        if spreading is None or (spreading.vote.epoch, spreading.vote.view) != (tree.epoch, tree.entry_view + 1):
            self._spreading = None
            return []
        if now < spreading.due_ms:
            return [SetTimer(SPREAD_TIMER, spreading.due_ms)]
        targets = spreading.targets()
        if not targets:
            self._spreading = None
            return []
        sends: Effects = [Send(target, spreading.data) for target in targets]
        return [*sends, SetTimer(SPREAD_TIMER, spreading.next_ms())]

    def _on_build(self, now: int, event: Build) -> Effects:
        best = self.chain.tree.best
        if best.hash != event.parent or (best.closing and best is not self.chain.tree.root):
            return []
        path = self.chain.tree.path(best)
        in_chain = {identity for node in path for identity in node.ledger.transactions}
        candidates: tuple[Transaction, ...] = event.candidates
        if len(path) >= self.limits.full_unfinal:
            candidates = ()
        if in_chain:
            candidates = tuple([each for each in candidates if each.id not in in_chain])
        built = self.chain.validator.build(
            best.ledger,
            best.hash,
            best.turn,
            self.chain.parent_certificate(),
            event.view,
            event.tick,
            event.vrf_proof,
            event.late_votes,
            candidates,
        )
        self._built = built
        rejected = tuple([(transaction.id, code) for transaction, code in built.rejected])
        return [Tell(BlockBuilt(event.view, event.parent, built.header.hash, rejected))]

    def _on_publish(self, now: int, event: Publish) -> Effects:
        """Send out this node's own proposal, durable first, and judge it fit for its own vote."""
        vote, tree = event.vote, self.chain.tree
        if vote.epoch != tree.epoch or vote.view != tree.entry_view + 1:
            return []
        node = tree.nodes.get(vote.block)
        effects: Effects = []
        if node is not None:
            assert node.closing and node.block is not None, "only a closing block comes again"
            notarisation = tree.certificates.get((node.certified, NOTARIZE))
            assert notarisation is not None, "a block is repeated on its notarization"
            proposal = Proposal(vote, node.block, notarisation)
            base_view, fresh = notarisation.view, False
        else:
            built = self._built
            if built is None or built.header.hash != vote.block or built.header.parent not in tree.nodes:
                return []
            block = Block(built.header, event.signature, built.parent_certificate, built.late_votes, built.transactions)
            parent = tree.nodes[built.header.parent]
            node = ForkNode(vote.block, block, parent, built.ledger, self.chain.parameters)
            effects += self._add(node)
            ahead = built.parent_certificate
            base_view = ahead.view if ahead is not None and ahead.epoch == vote.epoch else 0
            proposal, fresh = Proposal(vote, block, None), True
        self._built = None
        self._proposals[vote.view, vote.signer] = vote.block
        head = node.ledger.core.head
        data = encode_message(proposal)
        effects.append(Observe(Proposed(vote.epoch, vote.view, head.height, vote.block)))
        effects += self._spread(now, vote, data, event.patience_ms)
        self._verdict = verdict = Verdict(vote.epoch, vote.view, vote.block, base_view, head.tick, fresh)
        return [*effects, Tell(VoteMessage(vote)), Tell(verdict)]
