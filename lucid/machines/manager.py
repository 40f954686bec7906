"""The block manager: facts. It validates and stores blocks and certificates and is the node's only voice to peers.

A block or certificate is durable before the engine hears of it (`docs/architecture.md`, who owns what).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lucid.chain.blocks import Block
from lucid.chain.certificates import Certificate
from lucid.chain.codec import encode
from lucid.chain.errors import Code, Refusal
from lucid.chain.genesis import Genesis
from lucid.chain.keys import Crypto
from lucid.chain.transactions import Transaction
from lucid.chain.votes import FINALIZE, NOTARIZE, PROPOSE, SKIP, Vote, vote_message
from lucid.ledger.state import Reader
from lucid.ledger.validation import Built, Validator
from lucid.machines.chain import Chain
from lucid.machines.effects import (
    REPAIR_TIMER,
    SYNC_TIMER,
    Assembled,
    BlockBuilt,
    BlockFinal,
    BlockValid,
    Broadcast,
    Build,
    Cast,
    CertificateStored,
    Effects,
    Finalised,
    ManagerEvent,
    Observe,
    Offer,
    Proposed,
    Publish,
    Received,
    Refused,
    Send,
    SetTimer,
    Stand,
    Started,
    Store,
    Tell,
    TimerFired,
    Verdict,
)
from lucid.machines.forktree import ForkNode
from lucid.machines.messages import (
    MAX_PAGE_CERTIFICATES,
    Blocks,
    BlocksRequest,
    CertificateMessage,
    Certificates,
    CertificatesRequest,
    Part,
    PartRequest,
    Proposal,
    SnapshotOffer,
    Standing,
    Transactions,
    VoteMessage,
    decode_message,
    encode_message,
)
from lucid.machines.relay import relay_targets
from lucid.machines.snapshots import SNAPSHOT_BLOCKS, Snapshots
from lucid.machines.syncing import Syncing

MAX_WAITING = 64
"""Proposals kept that wait for a parent or for skip certificates; beyond it the furthest view goes."""

REPAIR_DELAY_MS = 250
"""How long a certified block may still be on its way before it is asked for."""


class Manager:
    """One node's block manager. `key` is its node id, `peers` the ids it is connected to."""

    def __init__(
        self,
        key: bytes,
        genesis: Genesis,
        crypto: Crypto,
        reader: Reader,
        peers: tuple[bytes, ...],
        snapshot_blocks: int = SNAPSHOT_BLOCKS,
        validator: Validator | None = None,
    ) -> None:
        self.key = key
        self.peers = peers
        self.chain = Chain(genesis, crypto, reader, validator)
        self.snapshots = Snapshots(self.chain, reader, snapshot_blocks)
        self.syncing = Syncing(self.chain, self.snapshots, peers)
        self._crypto = crypto
        self._stored = False
        self._built: Built | None = None
        self._proposals: dict[tuple[int, bytes], bytes] = {}
        self._waiting: dict[tuple[int, bytes], tuple[bytes, Proposal]] = {}
        self._standing_view: dict[bytes, int] = {}
        self._wire: dict[type, Callable[[int, bytes, Any], Effects]] = {
            CertificateMessage: self._on_certificate,
            Proposal: self._on_proposal,
            Standing: self._on_standing,
            BlocksRequest: self.syncing.on_blocks_request,
            Blocks: self._on_blocks,
            CertificatesRequest: self._on_certificates_request,
            Certificates: self._on_certificates,
            SnapshotOffer: self.syncing.on_snapshot_offer,
            PartRequest: self.snapshots.on_part_request,
            Part: self._on_part,
        }
        self._handlers: dict[type, Callable[[int, Any], Effects]] = {
            Cast: self._on_cast,
            Assembled: self._on_assembled,
            Build: self._on_build,
            Publish: self._on_publish,
            Stand: self._on_stand,
            Offer: self._on_offer,
            TimerFired: self._on_timer,
            Started: self._on_started,
        }

    def handle(self, now: int, event: ManagerEvent) -> Effects:
        """Take one event at `now` (ms since the Unix epoch, this node's clock) and return what is to be done."""
        if self._stored:
            self._stored = False
            self.chain.settle()
            return self.snapshots.take() + self.handle(now, event)
        if type(event) is not Received:
            return self._handlers[type(event)](now, event)
        try:
            message = decode_message(event.data)
            if type(message) is VoteMessage or type(message) is Transactions:
                return [Tell(message)]
            return self._wire[type(message)](now, event.peer, message)
        except Refusal as refusal:
            return [Observe(Refused(refusal.code))]

    # -- from peers ----------------------------------------------------------------------------------------------

    def _on_certificate(self, now: int, peer: bytes, message: CertificateMessage) -> Effects:
        certificate = message.certificate
        tree = self.chain.tree
        if certificate.epoch == tree.epoch:
            self._standing_view[peer] = certificate.view + 1
            if (certificate.view, certificate.kind) in tree.certificates:
                return []
        return self._learn(now, certificate, peer)

    def _on_standing(self, now: int, peer: bytes, message: Standing) -> Effects:
        """Answer a peer that is behind, and learn from one that is ahead."""
        tree = self.chain.tree
        effects: Effects = [Tell(VoteMessage(vote)) for vote in message.votes]
        if message.certificate is not None:
            effects += self._learn(now, message.certificate, peer)
        here, there = (tree.epoch, tree.entry_view + 1), (message.epoch, message.view)
        if message.epoch == tree.epoch:
            self._standing_view[peer] = message.view
        if there < here:
            effects += self._answer_behind(peer, message)
        elif message.final_height < tree.root.height and self.chain.final_certificate is not None:
            effects.append(Send(peer, encode_message(CertificateMessage(self.chain.final_certificate))))
        return effects + self.syncing.on_peer_height(now, peer, message.final_height, message.epoch)

    def _answer_behind(self, peer: bytes, message: Standing) -> Effects:
        """That view's certificate, and where this node stands."""
        tree = self.chain.tree
        effects: Effects = []
        if message.epoch == tree.epoch:
            for kind in (NOTARIZE, SKIP):
                certificate = tree.certificates.get((message.view, kind))
                if certificate is not None and certificate is not tree.entry:
                    effects.append(Send(peer, encode_message(CertificateMessage(certificate))))
                    break
        if message.final_height < tree.root.height and self.chain.final_certificate is not None:
            effects.append(Send(peer, encode_message(CertificateMessage(self.chain.final_certificate))))
        standing = Standing(tree.epoch, tree.entry_view + 1, tree.root.height, (), tree.entry)
        return [*effects, Send(peer, encode_message(standing))]

    # -- certificates --------------------------------------------------------------------------------------------

    def _on_assembled(self, now: int, event: Assembled) -> Effects:
        return self._learn(now, event.certificate, None)

    def _learn(self, now: int, certificate: Certificate, peer: bytes | None) -> Effects:
        """Take a certificate and look again at what waited for it. None as peer is this node's engine."""
        certificates = self.chain.tree.certificates
        count = len(certificates)
        effects = self._take(now, certificate, peer)
        return effects + self._reconsider(now, False) if len(certificates) > count else effects

    def _take(self, now: int, certificate: Certificate, peer: bytes | None) -> Effects:
        """Check a certificate, make it durable, act on it and forward it once."""
        tree = self.chain.tree
        if certificate.epoch != tree.epoch:
            if certificate.epoch > tree.epoch and peer is not None:
                return self.syncing.behind(now, peer)
            return []
        view, kind = certificate.view, certificate.kind
        if (view, kind) in tree.certificates or view < tree.root.certified or kind == PROPOSE:
            return []
        if kind == FINALIZE:
            return self._learn_final(now, certificate, peer)
        if peer is not None and not self.chain.verify(certificate):
            return [Observe(Refused(Code.CERTIFICATE_INVALID))]
        effects: Effects = [Store(tuple(self.chain.record(certificate)))]
        held = kind == NOTARIZE and certificate.block in tree.nodes
        effects.append(Tell(CertificateStored(certificate, held, self.chain.context())))
        message = encode_message(CertificateMessage(certificate))
        effects.append(Broadcast(message))
        if kind == NOTARIZE and not held:
            self.syncing.repair_from(peer)
            effects.append(SetTimer(REPAIR_TIMER, now + REPAIR_DELAY_MS))
        return effects

    def _learn_final(self, now: int, certificate: Certificate, peer: bytes | None) -> Effects:
        """A finality certificate: make its block final, or fetch it."""
        tree = self.chain.tree
        pending = self.chain.pending_final
        if pending is not None and pending.view >= certificate.view:
            return []
        if certificate.block == tree.root.hash:
            return []
        if peer is not None and not self.chain.verify(certificate):
            return [Observe(Refused(Code.CERTIFICATE_INVALID))]
        node = tree.nodes.get(certificate.block)
        if node is None:
            self.chain.hold_final(certificate)
            self.syncing.repair_from(peer)
            return [SetTimer(REPAIR_TIMER, now + REPAIR_DELAY_MS)]
        return self._finalise(node, certificate)

    def _finalise(self, node: ForkNode, certificate: Certificate) -> Effects:
        path, writes = self.chain.finalise(node, certificate)
        self._stored = True
        self.snapshots.on_final(path)
        tree = self.chain.tree
        effects: Effects = [Store(tuple(writes))]
        transactions: list[bytes] = []
        for each in path:
            transactions += each.ledger.transactions
            head = each.ledger.core.head
            effects.append(Observe(BlockFinal(head.epoch, head.view, head.height, each.hash)))
        effects.append(Tell(Finalised(certificate.epoch, certificate.view, node.height, tuple(transactions))))
        for place in [place for place in self._proposals if place[0] <= node.view or node.closing]:
            del self._proposals[place]
        if node.closing:
            # Those who miss this certificate would go on proposing the closing block: forward it once.
            message = encode_message(CertificateMessage(certificate))
            effects.append(Broadcast(message))
            effects.append(Tell(CertificateStored(certificate, True, self.chain.context())))
            self._waiting.clear()
            self._standing_view.clear()
        assert tree.root is node
        return effects

    # -- proposals -----------------------------------------------------------------------------------------------

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
        if known is not None:
            if known == hash_:
                raise Refusal(Code.REPLAYED)
            # The engine checks the signature before it takes this for evidence.
            return [Observe(Refused(Code.PROPOSAL_EQUIVOCATES)), Tell(VoteMessage(vote))]
        if hash_ == tree.root.hash or (vote.view <= tree.entry_view and hash_ not in tree.wanted):
            raise Refusal(Code.PROPOSAL_STALE)
        return self._consider(now, peer, message, hash_, True)

    def _consider(self, now: int, peer: bytes, message: Proposal, hash_: bytes, ask: bool) -> Effects:
        """Judge a proposal, or keep it until what it stands on is at hand; `ask` for the certificates that it lacks.

        What is learned on the way stays learned if the proposal is refused, so a refusal past that is an effect.
        """
        vote, block, tree = message.vote, message.block, self.chain.tree
        parent = tree.nodes.get(block.header.parent)
        node = tree.nodes.get(hash_)
        if parent is None and node is None:
            self._check_signed(vote)
            self._wait(peer, message)
            return self.syncing.behind(now, peer)
        repeats = vote.view != block.header.view
        if repeats:
            base_view = self._check_repeat(node, message)
            ahead: Certificate | None = message.notarisation
        else:
            ahead = block.parent_certificate
            base_view = ahead.view if ahead is not None and ahead.epoch == tree.epoch else 0
        stand_on = node if repeats else parent
        assert stand_on is not None, "the root is not proposed again, and every other block's parent is at hand"
        self._check_leader(vote, stand_on, repeats)
        effects: Effects = []
        if ahead is not None and ahead.epoch == tree.epoch and (ahead.view, ahead.kind) not in tree.certificates:
            effects += self._learn(now, ahead, peer)
            if tree.epoch != vote.epoch or (vote.view, vote.signer) in self._proposals:
                return effects
        try:
            gap = tree.missing_skips(base_view, vote.view)
            if gap is not None:
                self._wait(peer, message)
                request = CertificatesRequest(tree.epoch, *gap)
                return [*effects, Send(peer, encode_message(request))] if ask else effects
            return effects + self._accept(message, hash_, base_view, not repeats)
        except Refusal as refusal:
            return [*effects, Observe(Refused(refusal.code))]

    def _accept(self, message: Proposal, hash_: bytes, base_view: int, fresh: bool) -> Effects:
        """Judge a proposal that has all that it stands on, and let the engine vote; raises `Refusal`."""
        vote = message.vote
        node = self.chain.tree.nodes.get(hash_)
        effects: Effects = []
        if node is None:
            node = self.chain.judge(message.block, hash_)
            effects += self._add(node)
        else:
            self._check_same(message.block, node)
        self._waiting.pop((vote.view, vote.signer), None)
        if self.chain.tree.epoch != vote.epoch:
            return effects
        self._proposals[vote.view, vote.signer] = hash_
        head = node.ledger.core.head
        verdict = Verdict(vote.epoch, vote.view, hash_, base_view, head.tick, fresh)
        effects += self._relay(vote.signer, message)
        return [*effects, Tell(VoteMessage(vote)), Tell(verdict)]

    def _check_repeat(self, node: ForkNode | None, message: Proposal) -> int:
        """A block comes again only to close its epoch, with its notarisation; returns the view of that."""
        notarisation = message.notarisation
        if (
            node is None
            or not node.closing
            or notarisation is None
            or notarisation.kind != NOTARIZE
            or notarisation.block != message.vote.block
            or not message.block.header.view <= notarisation.view < message.vote.view
            or not self.chain.verify(notarisation)
        ):
            raise Refusal(Code.PROPOSAL_INVALID, "no closing block to repeat")
        return notarisation.view

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

    def _add(self, node: ForkNode) -> Effects:
        """Store a judged block; if it was waited for, act on what certified it."""
        tree = self.chain.tree
        wanted = tree.wanted.get(node.hash)
        head = node.ledger.core.head
        effects: Effects = [
            Store(tuple(self.chain.add(node))),
            Observe(BlockValid(head.epoch, head.view, head.height, node.hash)),
        ]
        final = self.chain.pending_final
        if final is not None and final.block == node.hash:
            return [*effects, *self._finalise(node, final), Tell(self.chain.context())]
        if wanted is not None:
            certificate = tree.certificates.get((wanted, NOTARIZE))
            if certificate is not None:
                effects.append(Tell(CertificateStored(certificate, True, self.chain.context())))
        return effects

    def _wait(self, peer: bytes, message: Proposal) -> None:
        """Keep a proposal that a validator signed; each has a place for each view, and the nearest views stay."""
        if len(encode(message.block)) > self.chain.parameters.max_block_bytes:
            raise Refusal(Code.BLOCK_SIZE)
        self._waiting.setdefault((message.vote.view, message.vote.signer), (peer, message))
        if len(self._waiting) > MAX_WAITING:
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
                effects.append(Observe(Refused(refusal.code)))
        return effects

    def _relay(self, origin: bytes, message: Proposal) -> Effects:
        """Pass a large proposal on to this node's share of the validators."""
        data = encode_message(message)
        targets = relay_targets(self.chain.validators.keys, origin, self.key, len(data))
        return [Send(target, data) for target in targets]

    # -- from the engine -----------------------------------------------------------------------------------------

    def _on_cast(self, now: int, event: Cast) -> Effects:
        return [Broadcast(encode_message(VoteMessage(event.vote)))]

    def _on_offer(self, now: int, event: Offer) -> Effects:
        return [Broadcast(encode_message(Transactions(event.transactions)))]

    def _on_build(self, now: int, event: Build) -> Effects:
        best = self.chain.tree.best
        if best.hash != event.parent or (best.closing and best is not self.chain.tree.root):
            return []
        in_chain = {identity for node in self.chain.tree.path(best) for identity in node.ledger.transactions}
        candidates: tuple[Transaction, ...] = event.candidates
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
            assert notarisation is not None, "a block is repeated on its notarisation"
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
        targets = relay_targets(self.chain.validators.keys, self.key, self.key, len(data))
        effects += [Send(target, data) for target in targets] if targets else [Broadcast(data)]
        verdict = Verdict(vote.epoch, vote.view, vote.block, base_view, head.tick, fresh)
        return [*effects, Tell(VoteMessage(vote)), Tell(verdict)]

    def _on_stand(self, now: int, event: Stand) -> Effects:
        """Repeat what is outstanding: to all while votes are, else to those not known to be in this view."""
        tree = self.chain.tree
        if (event.epoch, event.view) != (tree.epoch, tree.entry_view + 1):
            return []
        votes = tuple([vote for vote in event.votes if vote.kind != FINALIZE or vote.view > tree.root.certified])
        standing = encode_message(Standing(event.epoch, event.view, tree.root.height, votes, tree.entry))
        if votes:
            return [Broadcast(standing)]
        behind = [peer for peer in self.peers if self._standing_view.get(peer, 0) < event.view]
        return [Send(peer, standing) for peer in behind]

    # -- catching up ---------------------------------------------------------------------------------------------

    def _on_started(self, now: int, event: Started) -> Effects:
        recovered, self.chain.recovered = self.chain.recovered, []
        effects: Effects = [Store(tuple(recovered))] if recovered else []
        return [*effects, Tell(self.chain.context())]

    def _on_timer(self, now: int, event: TimerFired) -> Effects:
        if event.timer == REPAIR_TIMER:
            return self.syncing.on_repair(now)
        assert event.timer == SYNC_TIMER
        return self.syncing.on_timer(now)

    def _on_certificates_request(self, now: int, peer: bytes, request: CertificatesRequest) -> Effects:
        tree = self.chain.tree
        if request.epoch != tree.epoch or request.last < request.first:
            return []
        last = min(request.last, request.first + MAX_PAGE_CERTIFICATES - 1)
        found = [tree.certificates.get((view, SKIP)) for view in range(request.first, last + 1)]
        page = tuple([certificate for certificate in found if certificate is not None])
        return [Send(peer, encode_message(Certificates(page)))] if page else []

    def _on_certificates(self, now: int, peer: bytes, message: Certificates) -> Effects:
        certificates = self.chain.tree.certificates
        count = len(certificates)
        effects: Effects = []
        for certificate in message.certificates:
            effects += self._take(now, certificate, peer)
        return effects + self._reconsider(now, True) if len(certificates) > count else effects

    def _on_blocks(self, now: int, peer: bytes, message: Blocks) -> Effects:
        """A page of blocks: trusted only for the certificate at its end, and judged all the same."""
        self.syncing.answered(peer, message.request)
        effects: Effects = []
        try:
            page = self.syncing.open_page(message)
        except Refusal as refusal:
            return [Observe(Refused(refusal.code)), *self.syncing.again(now, peer)]
        for hash_, block in page.blocks:
            try:
                node = self.chain.judge(block, hash_)
            except Refusal as refusal:
                # Blocks before this one stay: a header that is vouched for says nothing of the signature beside it.
                return [*effects, Observe(Refused(refusal.code)), *self.syncing.again(now, peer)]
            effects += self._record_quietly(block.parent_certificate)
            effects += self._add(node)
        for certificate in page.certificates:
            if certificate.kind == FINALIZE:
                effects += self._learn(now, certificate, peer)
            else:
                effects += self._record_quietly(certificate)
        useful = any(type(effect) is Store for effect in effects)
        asked, level = self.syncing.page_done(now, peer, page, useful)
        if level:
            effects += [Tell(self.chain.context()), *self._reconsider(now, True)]
        return effects + asked

    def _record_quietly(self, certificate: Certificate | None) -> Effects:
        """Keep a verified certificate of a page: it is old, so nobody is told before the node is level."""
        tree = self.chain.tree
        if certificate is None or certificate.epoch != tree.epoch or certificate.view < tree.root.certified:
            return []
        if (certificate.view, certificate.kind) in tree.certificates:
            return []
        return [Store(tuple(self.chain.record(certificate)))]

    def _on_part(self, now: int, peer: bytes, message: Part) -> Effects:
        """A part of a snapshot; with the last one this node starts over from it."""
        effects, installed = self.syncing.on_part(now, peer, message)
        if installed:
            self._stored = True
            self._proposals.clear()
            self._waiting.clear()
            self._standing_view.clear()
            root = self.chain.tree.root
            effects.append(Tell(Finalised(root.ledger.core.head.epoch, root.view, root.height, ())))
            effects.append(Tell(self.chain.context()))
        return effects
