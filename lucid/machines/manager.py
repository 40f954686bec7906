"""The block manager: facts. It validates and stores blocks and certificates and is the node's only voice to peers.

A block or certificate is durable before the engine hears of it (`docs/architecture.md`, who owns what).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lucid.chain.errors import Code, Refusal
from lucid.chain.genesis import Genesis
from lucid.chain.keys import Crypto
from lucid.chain.votes import FINALIZE, NOTARIZE, SKIP, Vote
from lucid.ledger.state import Reader
from lucid.ledger.validation import Validator
from lucid.machines.effects import (
    GAP_TIMER,
    REPAIR_TIMER,
    SPREAD_TIMER,
    SYNC_TIMER,
    Assembled,
    Broadcast,
    Build,
    Cast,
    Effects,
    EngineJoined,
    Finalised,
    ManagerEvent,
    Observe,
    Offer,
    Publish,
    Received,
    Refused,
    Send,
    Stand,
    Started,
    Store,
    Tell,
    TimerFired,
)
from lucid.machines.limits import DEFAULT_LIMITS, Limits
from lucid.machines.messages import (
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
from lucid.machines.proposals import Proposals


class Manager(Proposals):
    """One node's block manager: takes each event to where it belongs."""

    def __init__(
        self,
        key: bytes,
        genesis: Genesis,
        crypto: Crypto,
        reader: Reader,
        peers: tuple[bytes, ...],
        limits: Limits = DEFAULT_LIMITS,
        validator: Validator | None = None,
    ) -> None:
        """`key` is the node's id; the rest is as in `Facts`."""
        super().__init__(key, genesis, crypto, reader, peers, limits, validator)
        self._answered: dict[bytes, tuple[int, int]] = {}
        self._wire: dict[type, Callable[[int, bytes, Any], Effects]] = {
            CertificateMessage: self._on_certificate,
            Proposal: self._on_proposal,
            Standing: self._on_standing,
            BlocksRequest: self.syncing.on_blocks_request,
            Blocks: self._on_blocks,
            CertificatesRequest: self._on_certificates_request,
            Certificates: self._on_certificates,
            SnapshotOffer: self.syncing.on_snapshot_offer,
            PartRequest: self.syncing.on_part_request,
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
            EngineJoined: self._on_engine_joined,
        }

    def handle(self, now: int, event: ManagerEvent) -> Effects:
        """Take one event at `now` (ms since the Unix epoch, this node's clock) and return what is to be done."""
        if self._stored:
            self._stored = False
            self.chain.settle()
            return self.snapshots.take() + self.handle(now, event)
        if type(event) is Received:
            return self._receive(now, event)
        return self._handlers[type(event)](now, event)

    def _receive(self, now: int, event: Received) -> Effects:
        """Take bytes from a peer to where they belong, unless it has sent too much that does not hold."""
        if self.forgeries.barred(now, event.peer):
            return [Observe(Refused(Code.THROTTLED))]
        try:
            message = decode_message(event.data)
            if type(message) is VoteMessage:
                return self._on_vote(event.peer, message)
            if type(message) is Transactions:
                return self._on_transactions(event.peer, message)
            return self._wire[type(message)](now, event.peer, message)
        except Refusal as refusal:
            return self._forged(now, event.peer, refusal.code)

    # -- from peers ----------------------------------------------------------------------------------------------

    def _on_vote(self, peer: bytes, message: VoteMessage) -> Effects:
        """Votes come from their signers and nobody else: a peer can only have its own verified without end."""
        if message.vote.signer != peer:
            raise Refusal(Code.VOTE_SIGNER)
        return [self._pass_vote(message.vote)]

    def _on_transactions(self, peer: bytes, message: Transactions) -> Effects:
        """Transactions come from their endorsers and nobody else, as votes do."""
        if any(transaction.endorser != peer for transaction in message.transactions):
            raise Refusal(Code.TX_ENDORSER)
        return [Tell(message)]

    def _pass_vote(self, vote: Vote) -> Tell:
        """Hand a vote to the engine; it also tells that its signer has what this node put forward."""
        if self._spreading is not None:
            self._spreading.heard(vote)
        return Tell(VoteMessage(vote))

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
        effects: Effects = [self._pass_vote(vote) for vote in message.votes if vote.signer == peer]
        if message.certificate is not None:
            effects += self._learn(now, message.certificate, peer)
        here, there = (tree.epoch, tree.entry_view + 1), (message.epoch, message.view)
        if message.epoch == tree.epoch:
            self._standing_view[peer] = message.view
        if there < here and self._answers(now, peer):
            effects += self._answer_behind(peer, message)
        elif there >= here and message.final_height < tree.root.height and self.chain.final_certificate is not None:
            effects.append(Send(peer, encode_message(CertificateMessage(self.chain.final_certificate))))
        return effects + self.syncing.on_peer_height(now, peer, message.final_height, message.epoch)

    def _answers(self, now: int, peer: bytes) -> bool:
        """Whether one more standing of a peer is answered in this second."""
        second, count = now // 1_000, 1
        if peer in self._answered and self._answered[peer][0] == second:
            count += self._answered[peer][1]
        self._answered[peer] = (second, count)
        return count <= self.limits.standings_a_second

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

    # -- from the engine -----------------------------------------------------------------------------------------

    def _on_assembled(self, now: int, event: Assembled) -> Effects:
        return self._learn(now, event.certificate, None)

    def _on_cast(self, now: int, event: Cast) -> Effects:
        return [Broadcast(encode_message(VoteMessage(event.vote)))]

    def _on_offer(self, now: int, event: Offer) -> Effects:
        return [Broadcast(encode_message(Transactions(event.transactions)))]

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

    def _on_engine_joined(self, now: int, event: EngineJoined) -> Effects:
        """Tell an engine that knows nothing yet where the chain stands, and what it may vote for."""
        tree, verdict = self.chain.tree, self._verdict
        effects: Effects = [Tell(self.chain.context())]
        if verdict is not None and (verdict.epoch, verdict.view) == (tree.epoch, tree.entry_view + 1):
            effects.append(Tell(verdict))
        return effects

    def _on_timer(self, now: int, event: TimerFired) -> Effects:
        if event.timer == SPREAD_TIMER:
            return self._on_spread_timer(now)
        if event.timer == GAP_TIMER:
            return self._on_gap_timer(now)
        assert event.timer in (SYNC_TIMER, REPAIR_TIMER)
        return self.syncing.on_timer(now, event.timer)

    def _on_certificates_request(self, now: int, peer: bytes, request: CertificatesRequest) -> Effects:
        tree = self.chain.tree
        if request.epoch != tree.epoch or request.last < request.first:
            return []
        last = min(request.last, request.first + self.limits.page_certificates - 1)
        found = [tree.certificates.get((view, SKIP)) for view in range(request.first, last + 1)]
        page = tuple([certificate for certificate in found if certificate is not None])
        return [Send(peer, encode_message(Certificates(page)))] if page else []

    def _on_certificates(self, now: int, peer: bytes, message: Certificates) -> Effects:
        wanted = self._asked.pop(peer, None)
        if wanted is None:
            raise Refusal(Code.UNEXPECTED)
        certificates = self.chain.tree.certificates
        count = len(certificates)
        effects: Effects = []
        for certificate in message.certificates:
            if certificate.epoch != wanted.epoch or not wanted.first <= certificate.view <= wanted.last:
                effects.append(Observe(Refused(Code.UNEXPECTED)))
                break
            taken = self._take(now, certificate, peer)
            effects += taken
            if Observe(Refused(Code.CERTIFICATE_INVALID)) in taken:
                # One false certificate tells enough of a peer: the rest of its page would cost as much each.
                break
        return effects + self._reconsider(now, True) if len(certificates) > count else effects

    def _on_blocks(self, now: int, peer: bytes, message: Blocks) -> Effects:
        """A page of blocks: trusted only for the certificate at its end, and judged all the same."""
        slot, question = self.syncing.answered(peer, message.request)
        effects: Effects = []
        try:
            page = self.syncing.open_page(message)
        except Refusal as refusal:
            return [Observe(Refused(refusal.code)), *self.syncing.again(now, slot, peer)]
        if page.blocks and page.blocks[0][1].header.parent not in self.chain.tree.nodes:
            return self.syncing.page_hangs(now, slot, question)
        for hash_, block in page.blocks:
            try:
                node = self.chain.judge(block, hash_)
            except Refusal as refusal:
                # Blocks before this one stay: a header that is vouched for says nothing of the signature beside it.
                return [*effects, Observe(Refused(refusal.code)), *self.syncing.again(now, slot, peer)]
            effects += self._record_quietly(block.parent_certificate)
            effects += self._add(node)
        for certificate in page.certificates:
            if certificate.kind == FINALIZE:
                effects += self._learn(now, certificate, peer)
            else:
                effects += self._record_quietly(certificate)
        useful = any(type(effect) is Store for effect in effects)
        asked, level = self.syncing.page_done(now, slot, question, page, useful)
        if level:
            effects += [Tell(self.chain.context()), *self._reconsider(now, True)]
        return effects + asked

    def _on_part(self, now: int, peer: bytes, message: Part) -> Effects:
        """A part of a snapshot; with the last one this node starts over from it."""
        effects, installed = self.syncing.on_part(now, peer, message)
        if installed:
            self._stored = True
            self._forget_views()
            root = self.chain.tree.root
            effects.append(Tell(Finalised(root.ledger.core.head.epoch, root.view, root.height, ())))
            effects.append(Tell(self.chain.context()))
        return effects
