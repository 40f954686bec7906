"""What a node knows for certain: takes certificates, makes blocks final, and says what to store and whom to tell."""

from __future__ import annotations

from lucid.chain.certificates import Certificate
from lucid.chain.errors import Code
from lucid.chain.genesis import Genesis
from lucid.chain.keys import Crypto
from lucid.chain.votes import FINALIZE, NOTARIZE, PROPOSE
from lucid.ledger.state import Reader
from lucid.ledger.validation import Built, Validator
from lucid.machines.chain import Chain
from lucid.machines.effects import (
    BlockFinal,
    BlockValid,
    Broadcast,
    CertificateStored,
    Effects,
    Finalised,
    Observe,
    Refused,
    Store,
    Tell,
    Verdict,
)
from lucid.machines.forgeries import Forgeries
from lucid.machines.forktree import ForkNode
from lucid.machines.limits import DEFAULT_LIMITS, Limits
from lucid.machines.messages import (
    CertificateMessage,
    CertificatesRequest,
    Proposal,
    encode_message,
)
from lucid.machines.relay import Spreading
from lucid.machines.snapshots import Snapshots
from lucid.machines.syncing import Syncing

FORGED = frozenset((Code.CERTIFICATE_INVALID, Code.PROPOSAL_INVALID))
"""Refusals that cost a signature, and that an honest peer never causes: it sends what it has verified."""


class Facts:
    """Blocks and certificates of one node, and all that the manager keeps beside them.

    `peers` are the ids that the node is connected to; a `validator` may be shared between nodes of one process.
    """

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
        self.key = key
        self.limits = limits
        self.peers = peers
        self.chain = Chain(genesis, crypto, reader, limits, validator)
        self.snapshots = Snapshots(self.chain, reader, limits)
        self.syncing = Syncing(self.chain, self.snapshots, peers, limits)
        self._crypto = crypto
        self._stored = False
        self._built: Built | None = None
        self._verdict: Verdict | None = None
        self._proposals: dict[tuple[int, bytes], bytes] = {}
        self._waiting: dict[tuple[int, bytes], tuple[bytes, Proposal]] = {}
        self._asked: dict[bytes, CertificatesRequest] = {}
        self._spreading: Spreading | None = None
        self._relayed: set[tuple[int, bytes]] = set()
        self._gap_ms = self._gap_turn = 0
        self._accused: set[tuple[int, bytes]] = set()
        self._standing_view: dict[bytes, int] = {}
        self.forgeries = Forgeries(limits)

    def _forged(self, now: int, peer: bytes | None, code: Code) -> Effects:
        """Something of a peer's was refused; what no honest node would have sent is counted."""
        if peer is not None and code in FORGED:
            self.forgeries.count(now, peer)
        return [Observe(Refused(code))]

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
            return self._forged(now, peer, Code.CERTIFICATE_INVALID)
        effects: Effects = [Store(tuple(self.chain.record(certificate)))]
        held = kind == NOTARIZE and certificate.block in tree.nodes
        effects.append(Tell(CertificateStored(certificate, held, self.chain.context())))
        message = encode_message(CertificateMessage(certificate))
        effects.append(Broadcast(message))
        if kind == NOTARIZE and not held:
            effects += self.syncing.repair_from(now, peer)
        return effects

    def _forget_views(self) -> None:
        """Forget all that is told apart by its view: another epoch counts them anew."""
        self._proposals.clear()
        self._waiting.clear()
        self._accused.clear()
        self._relayed.clear()
        self._asked.clear()
        self._standing_view.clear()

    def _learn_final(self, now: int, certificate: Certificate, peer: bytes | None) -> Effects:
        """A finality certificate: make its block final, or fetch it."""
        tree = self.chain.tree
        pending = self.chain.pending_final
        node = tree.nodes.get(certificate.block)
        if certificate.block == tree.root.hash:
            return []
        # One that waits for its block is no reason to leave what is at hand unfinal.
        if node is None and pending is not None and pending.view >= certificate.view:
            return []
        if peer is not None and not self.chain.verify(certificate):
            return self._forged(now, peer, Code.CERTIFICATE_INVALID)
        if node is None:
            self.chain.hold_final(certificate)
            return self.syncing.repair_from(now, peer)
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
            self._accused.discard(place)
            self._relayed.discard(place)
        if node.closing:
            # Those who miss this certificate would go on proposing the closing block: forward it once.
            message = encode_message(CertificateMessage(certificate))
            effects.append(Broadcast(message))
            effects.append(Tell(CertificateStored(certificate, True, self.chain.context())))
            self._forget_views()
        assert tree.root is node
        return effects

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

    def _record_quietly(self, certificate: Certificate | None) -> Effects:
        """Keep a verified certificate of a page: it is old, so nobody is told before the node is level."""
        tree = self.chain.tree
        if certificate is None or certificate.epoch != tree.epoch or certificate.view < tree.root.certified:
            return []
        if (certificate.view, certificate.kind) in tree.certificates:
            return []
        return [Store(tuple(self.chain.record(certificate)))]
