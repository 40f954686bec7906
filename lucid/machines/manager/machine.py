"""The block manager: facts. It validates and stores blocks and certificates and is the node's only voice to peers.

A block or certificate is durable before the engine hears of it (`docs/architecture.md`, who owns what).
"""

from __future__ import annotations

from typing import assert_never

from lucid.chain.errors import Code, Refusal
from lucid.chain.genesis import Genesis
from lucid.chain.keys import Crypto
from lucid.chain.versions import RULES_KNOWN
from lucid.chain.votes import FINALIZE, Vote
from lucid.ledger.rowstore import Reader
from lucid.ledger.validation import Validator
from lucid.machines.chain import Chain
from lucid.machines.decodedmessages import decode_message
from lucid.machines.effects import (
    GAP_TIMER,
    REPAIR_TIMER,
    SPREAD_TIMER,
    SYNC_TIMER,
    Assembled,
    Broadcast,
    BroadcastVote,
    Build,
    Effects,
    EngineJoined,
    Forward,
    ManagerEvent,
    Observe,
    Offer,
    PeerJoined,
    Publish,
    Received,
    Refused,
    Retransmit,
    Started,
    Store,
    TimerFired,
)
from lucid.machines.limits import DEFAULT_LIMITS, Limits
from lucid.machines.manager.book import CertificateBook
from lucid.machines.manager.dissemination import Dissemination
from lucid.machines.manager.forgeries import Forgeries
from lucid.machines.manager.gaps import Gaps
from lucid.machines.manager.leading import Leading
from lucid.machines.manager.pool import ProposalPool
from lucid.machines.manager.proposals import Proposals
from lucid.machines.manager.serving import Serving
from lucid.machines.manager.sightings import Sightings
from lucid.machines.manager.snapshots import Snapshots
from lucid.machines.manager.standings import Standings
from lucid.machines.manager.syncing import Syncing
from lucid.machines.messages import (
    Blocks,
    BlocksRequest,
    CertificateMessage,
    Certificates,
    CertificatesRequest,
    Message,
    Part,
    PartRequest,
    Proposal,
    SnapshotOffer,
    Standing,
    Transactions,
    VoteMessage,
    encode_message,
)


class Manager:
    """One node's block manager: takes each event to where it belongs."""

    def __init__(
        self,
        key: bytes,
        genesis: Genesis,
        crypto: Crypto,
        reader: Reader,
        peers: tuple[bytes, ...],
        limits: Limits = DEFAULT_LIMITS,
        *,
        validator: Validator | None = None,
        rules_known: int = RULES_KNOWN,
    ) -> None:
        """`key` is the node's id, `peers` are the ids that it is connected to; nodes of one process may share a
        `validator`. Of what is newer than `rules_known`, the rules that its release knows, it judges nothing."""
        self.key = key
        self.peers = peers
        self.limits = limits
        self.chain = Chain(genesis, crypto, reader, limits, validator, rules_known)
        self.snapshots = Snapshots(self.chain, reader, limits)
        self.syncing = Syncing(key, self.chain, self.snapshots, peers, limits)
        self.serving = Serving(self.chain, self.snapshots, limits)
        self.forgeries = Forgeries(limits)
        self.pool = ProposalPool(limits.max_waiting)
        self.book = CertificateBook(self.chain, self.snapshots, self.syncing, self.forgeries, self.pool)
        self.gaps = Gaps(key, self.chain, self.pool, peers, limits)
        self.dissemination = Dissemination(key, self.chain, self.pool, limits)
        self.proposals = Proposals(self.chain, crypto, self.book, self.pool, self.gaps, self.dissemination)
        self.leading = Leading(self.chain, self.book, self.pool, self.gaps, self.dissemination, limits)
        self.sightings = Sightings()
        self.standings = Standings(self.chain, self.book, peers, limits)

    def handle(self, now: int, event: ManagerEvent) -> Effects:
        """Take one event at `now` (ms since the Unix epoch, this node's clock) and return what is to be done."""
        # The driver has made durable by now what the last event made final, so that memory need not keep it.
        settled = self.book.settle() if self.book.unsettled else None
        if self.chain.outdated:
            effects = self._stand_by(now, event)
        else:
            # Nearly every event comes from a peer, so that one is not searched for.
            effects = self._receive(now, event) if type(event) is Received else self._handle(now, event)
        return settled + effects if settled else effects

    def passed_on(self, now: int, event: Received) -> VoteMessage | CertificateMessage | None:
        """A peer's message, where `handle` would come to no more than telling the engine of it, if it is a vote, or to
        nothing, if it is a certificate: so it is with nearly all. A driver may call this before `handle`, and need not
        call that then. With None nothing was done.
        """
        chain = self.chain
        if self.book.unsettled or self.forgeries.any or chain.outdated:
            return None
        try:
            message = decode_message(event.data)
        except Refusal:
            return None
        peer = event.peer
        if type(message) is VoteMessage:
            vote = message.vote
            # `handle` refuses it, and counts that.
            if vote.signer != peer:
                return None
            self.sightings.saw(now, peer, vote.epoch, vote.view if vote.kind == FINALIZE else vote.view - 1)
            if self.dissemination.spreading is not None:
                self.dissemination.heard(vote)
            return message
        if type(message) is CertificateMessage:
            certificate, tree = message.certificate, chain.tree
            view = certificate.view
            # Each node forwards each certificate once, so of n that come all but one are known (rule 1).
            if certificate.epoch == tree.epoch and (view, certificate.kind) in tree.certificates:
                self.sightings.saw(now, peer, certificate.epoch, view)
                self.book.peer_views[peer] = view + 1
                return message
        return None

    def _stand_by(self, now: int, event: ManagerEvent) -> Effects:
        """The chain has rules that this release does not know: serve what is held, and say nothing of what is not."""
        # What is final stays true under any rules, and others may need it to catch up (section 12).
        match event:
            case Started():
                return [*self._recovered(), *self.book.halt()]
            case EngineJoined():
                return [Forward(self.chain.halt())]
            case Received():
                return self._serve(now, event)
            case _:
                return []

    def _serve(self, now: int, event: Received) -> Effects:
        try:
            match decode_message(event.data):
                case BlocksRequest() as request:
                    return self.serving.on_blocks_request(now, event.peer, request)
                case PartRequest() as request:
                    return self.serving.on_part_request(now, event.peer, request)
                case Standing() as standing:
                    return self.standings.on_behind(now, event.peer, standing)
        except Refusal as refusal:
            return [Observe(Refused(refusal.code))]
        return []

    def _handle(self, now: int, event: ManagerEvent) -> Effects:
        match event:
            case Received():
                return self._receive(now, event)
            case Assembled():
                # Its votes were verified as the engine counted them: as its own, it is not verified again.
                return self.proposals.learn(now, event.certificate, None)
            case BroadcastVote():
                return self.standings.on_vote(event.vote)
            case Offer():
                return [Broadcast(encode_message(Transactions(event.transactions)))]
            case Build():
                return self.leading.on_build(now, event)
            case Publish():
                return self.leading.on_publish(now, event)
            case Retransmit():
                return self.standings.on_retransmit(event)
            case TimerFired():
                return self._on_timer(now, event.timer)
            case Started():
                return self._on_started()
            case EngineJoined():
                return self._on_engine_joined()
            case PeerJoined():
                return self.standings.on_peer_joined(event.peer)
            case _:
                assert_never(event)

    def _receive(self, now: int, event: Received) -> Effects:
        """Take bytes from a peer to where they belong, unless it has sent too much that does not hold."""
        peer = event.peer
        # Before it is decoded: even that is work which a liar has this node do (section 8, Messages).
        if self.forgeries.any and self.forgeries.barred(now, peer):
            return [Observe(Refused(Code.THROTTLED))]
        try:
            message = decode_message(event.data)
            self.sightings.note(now, peer, message)
            if type(message) is VoteMessage:
                return self._on_vote(peer, message)
            if type(message) is CertificateMessage:
                return self._on_certificate(now, peer, message)
            return self._on_message(now, peer, message)
        except Refusal as refusal:
            return [self.forgeries.refused(now, peer, refusal.code)]

    def _on_message(self, now: int, peer: bytes, message: Message) -> Effects:
        """Take a message to where it belongs; raises `Refusal`."""
        match message:
            case VoteMessage():
                return self._on_vote(peer, message)
            case Proposal():
                return self.proposals.on_proposal(now, peer, message)
            case CertificateMessage():
                return self._on_certificate(now, peer, message)
            case Transactions():
                return self._on_transactions(peer, message)
            case Standing():
                return self._on_standing(now, peer, message)
            case BlocksRequest():
                return self.serving.on_blocks_request(now, peer, message)
            case Blocks():
                return self._on_blocks(now, peer, message)
            case CertificatesRequest():
                return self.serving.on_certificates_request(now, peer, message)
            case Certificates():
                return self._on_certificates(now, peer, message)
            case SnapshotOffer():
                return self._on_snapshot(*self.syncing.on_snapshot_offer(now, peer, message))
            case PartRequest():
                return self.serving.on_part_request(now, peer, message)
            case Part():
                return self._on_snapshot(*self.syncing.on_part(now, peer, message))
            case _:
                assert_never(message)

    # -- from peers ----------------------------------------------------------------------------------------------

    def _on_vote(self, peer: bytes, message: VoteMessage) -> Effects:
        """Votes come from their signers and nobody else: a peer can only have its own verified without end."""
        if message.vote.signer != peer:
            raise Refusal(Code.VOTE_SIGNER)
        if self.dissemination.spreading is not None:
            self.dissemination.heard(message.vote)
        return [Forward(message)]

    def _on_transactions(self, peer: bytes, message: Transactions) -> Effects:
        """Transactions come from their endorsers and nobody else, as votes do."""
        if any(transaction.endorser != peer for transaction in message.transactions):
            raise Refusal(Code.TX_ENDORSER)
        return [Forward(message)]

    def _pass_vote(self, vote: Vote) -> Forward:
        """Hand a vote to the engine; it also tells that its signer has what this node put forward."""
        self.dissemination.heard(vote)
        return Forward(VoteMessage(vote))

    def _on_certificate(self, now: int, peer: bytes, message: CertificateMessage) -> Effects:
        certificate = message.certificate
        tree = self.chain.tree
        if certificate.epoch == tree.epoch:
            self.book.peer_views[peer] = certificate.view + 1
            # Known: dropped before anything is verified (section 4, Nothing is lost in silence).
            if (certificate.view, certificate.kind) in tree.certificates:
                return []
        return self.proposals.learn(now, certificate, peer)

    def _on_standing(self, now: int, peer: bytes, message: Standing) -> Effects:
        """Take what a peer says of itself, answer it if it is behind, and ask it if it is far ahead."""
        # Its own votes alone count: those of others it could have verified here without end (section 4).
        effects: Effects = [self._pass_vote(vote) for vote in message.votes if vote.signer == peer]
        # First what brings this node on: its answer then says where it stands now.
        if message.certificate is not None:
            effects += self.proposals.learn(now, message.certificate, peer)
        effects += self.standings.on_standing(now, peer, message)
        return effects + self.syncing.on_peer_height(now, peer, message.final_height, message.epoch)

    # -- catching up ---------------------------------------------------------------------------------------------

    def _on_started(self) -> Effects:
        return [*self._recovered(), Forward(self.chain.context())]

    def _recovered(self) -> Effects:
        recovered, self.chain.recovered = self.chain.recovered, []
        return [Store(tuple(recovered))] if recovered else []

    def _on_engine_joined(self) -> Effects:
        """Tell an engine that knows nothing yet where the chain stands, and what it may vote for."""
        tree, verdict = self.chain.tree, self.pool.verdict
        effects: Effects = [Forward(self.chain.context())]
        # The proposal is judged once; an engine that starts anew may not have voted for it (rule 3).
        if verdict is not None and (verdict.epoch, verdict.view) == (tree.epoch, tree.entry_view + 1):
            effects.append(Forward(verdict))
        return effects

    def _on_timer(self, now: int, timer: str) -> Effects:
        if timer == SPREAD_TIMER:
            return self.dissemination.on_timer(now)
        if timer == GAP_TIMER:
            return self.gaps.on_timer(now)
        assert timer in (SYNC_TIMER, REPAIR_TIMER)
        asked = self.syncing.asks
        effects = self.syncing.on_timer(now, timer)
        return self._told_if_over(effects) if asked else effects

    def _on_certificates(self, now: int, peer: bytes, message: Certificates) -> Effects:
        """A page of skip certificates that proposals lacked; raises `UNEXPECTED` if nothing was asked."""
        wanted = self.gaps.answered(peer)
        certificates = self.chain.tree.certificates
        count = len(certificates)
        effects: Effects = []
        for certificate in message.certificates:
            # Beyond what was asked for, a page could have this node verify whatever its sender likes (section 8).
            if certificate.epoch != wanted.epoch or not wanted.first <= certificate.view <= wanted.last:
                effects.append(Observe(Refused(Code.UNEXPECTED)))
                break
            taken = self.book.take(now, certificate, peer)
            effects += taken
            if Observe(Refused(Code.CERTIFICATE_INVALID)) in taken:
                # One false certificate tells enough of a peer: the rest of its page would cost as much each.
                break
        return effects + self.proposals.look_again(now) if len(certificates) > count else effects

    def _on_blocks(self, now: int, peer: bytes, message: Blocks) -> Effects:
        """A page of blocks: trusted only for the certificate at its end, and judged all the same."""
        slot, question = self.syncing.answered(peer, message.request)
        effects: Effects = []
        try:
            page = self.syncing.open_page(message)
        except Refusal as refusal:
            if self.syncing.passes_over(message, question):
                return self._told_if_over(self.syncing.page_hangs(now, slot, question))
            return self._told_if_over([Observe(Refused(refusal.code)), *self.syncing.again(now, slot, peer)])
        if page.blocks and page.blocks[0][1].header.parent not in self.chain.tree.nodes:
            return self._told_if_over(self.syncing.page_hangs(now, slot, question))
        for hash_, block in page.blocks:
            try:
                node = self.chain.judge(block, hash_)
            except Refusal as refusal:
                # Blocks before this one stay: a header that is vouched for says nothing of the signature beside it.
                effects += [Observe(Refused(refusal.code)), *self.syncing.again(now, slot, peer)]
                return self._told_if_over(effects)
            effects += self.book.record_quietly(block.parent_certificate)
            effects += self.book.add(node)
        for certificate in page.certificates:
            # Finality of what is at hand is taken at once (section 8, Catching up).
            if certificate.kind == FINALIZE:
                effects += self.proposals.learn(now, certificate, peer)
            else:
                effects += self.book.record_quietly(certificate)
        useful = any(type(effect) is Store for effect in effects)
        asked, level = self.syncing.page_done(now, slot, question, page, useful)
        # Only now: told of view after view an engine would sign a finalize in each, and all are long over.
        if level:
            effects += [Forward(self.chain.word()), *self.proposals.look_again(now)]
        return effects + asked

    def _told_if_over(self, effects: Effects) -> Effects:
        """What an answer that brought nothing, or none at all, comes to: if nothing more is asked, the engine hears
        now of what the answers before brought."""
        return effects if self.syncing.asks else [*effects, Forward(self.chain.word())]

    def _on_snapshot(self, effects: Effects, installed: bool) -> Effects:
        """What a snapshot's offer or part comes to; with the last part this node starts over from it."""
        return effects + self.book.start_over() if installed else self._told_if_over(effects)
