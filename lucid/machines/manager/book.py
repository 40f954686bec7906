"""The book of certificates: takes them, keeps them durably, and makes blocks final by them (protocol section 4).

What is stored here stands before what is told: a driver makes it durable first, and that is the crash safety of all.
"""

from __future__ import annotations

from lucid.chain.certificates import Certificate
from lucid.chain.errors import Code
from lucid.chain.votes import FINALIZE, NOTARIZE, PROPOSE
from lucid.machines.chain import Chain
from lucid.machines.effects import (
    BlockFinal,
    BlockValid,
    Broadcast,
    CertificateStored,
    Effects,
    Finalized,
    Forward,
    Halted,
    Observe,
    Store,
)
from lucid.machines.forktree import ForkNode
from lucid.machines.manager.forgeries import Forgeries
from lucid.machines.manager.pool import ProposalPool
from lucid.machines.manager.snapshots import Snapshots
from lucid.machines.manager.syncing import Syncing
from lucid.machines.messages import CertificateMessage, encode_message


class CertificateBook:
    """Certificates and the blocks that they certify. `peer_views` has the view that each peer is known to be in."""

    def __init__(
        self, chain: Chain, snapshots: Snapshots, syncing: Syncing, forgeries: Forgeries, pool: ProposalPool
    ) -> None:
        self.chain = chain
        self.snapshots = snapshots
        self.syncing = syncing
        self.forgeries = forgeries
        self.pool = pool
        self.peer_views: dict[bytes, int] = {}
        self.unsettled = False
        """Whether rows of the last final state are still kept in memory beside the store."""

    def settle(self) -> Effects:
        """Before an event: the store holds by now what was final, so memory need not, and a snapshot may be taken."""
        self.unsettled = False
        self.chain.settle()
        return self.snapshots.take()

    def take(self, now: int, certificate: Certificate, peer: bytes | None) -> Effects:
        """Check a certificate, make it durable, act on it and forward it once. None as peer is this node's engine."""
        tree = self.chain.tree
        # Its validators follow from blocks that this node lacks, so it cannot be verified: the blocks are asked for.
        if certificate.epoch > tree.epoch and peer is not None and not self.chain.outdated:
            return self.syncing.behind(now, peer)
        view, kind = certificate.view, certificate.kind
        # By epoch, view and kind, before anything is verified (section 4, Nothing is lost in silence).
        known = (view, kind) in tree.certificates or view < tree.root.certified or kind == PROPOSE
        if certificate.epoch != tree.epoch or known or self.chain.outdated:
            return []
        if kind == FINALIZE:
            return self._take_final(now, certificate, peer)
        if peer is not None and not self.chain.verify(certificate):
            return [self.forgeries.refused(now, peer, Code.CERTIFICATE_INVALID)]
        # Durable before it is acted on (rule 1): a node that entered a view and forgot why would hold up all others.
        effects: Effects = [Store(tuple(self.chain.record(certificate)))]
        held = kind == NOTARIZE and certificate.block in tree.nodes
        effects.append(Forward(CertificateStored(certificate, held, self.chain.context())))
        message = encode_message(CertificateMessage(certificate))
        # Once by each node (rule 1): so whoever enters a view brings all others with it.
        effects.append(Broadcast(message))
        # What is built next stands on this block, and its finality needs this node's copy (rules 2 and 5).
        if kind == NOTARIZE and not held:
            effects += self.syncing.repair_from(now, peer)
        return effects

    def _take_final(self, now: int, certificate: Certificate, peer: bytes | None) -> Effects:
        """A finality certificate: make its block final, or fetch it."""
        tree = self.chain.tree
        pending = self.chain.pending_final
        node = tree.nodes.get(certificate.block)
        # Each node assembles one of its own from the same votes, so most that come are of what is final here.
        if certificate.block == tree.root.hash:
            return []
        # One that waits for its block is no reason to leave what is at hand unfinal.
        if node is None and pending is not None and pending.view >= certificate.view:
            return []
        if peer is not None and not self.chain.verify(certificate):
            return [self.forgeries.refused(now, peer, Code.CERTIFICATE_INVALID)]
        if node is None:
            self.chain.hold_final(certificate)
            return self.syncing.repair_from(now, peer)
        return self._make_final(node, certificate)

    def _make_final(self, node: ForkNode, certificate: Certificate) -> Effects:
        """Rule 6: a block and all before it are final from here on: stored as one, then told."""
        path, writes = self.chain.finalize(node, certificate)
        self.unsettled = True
        self.snapshots.on_final(path)
        effects: Effects = [Store(tuple(writes))]
        transactions: list[bytes] = []
        for each in path:
            transactions += each.ledger.transactions
            head = each.ledger.core.head
            effects.append(Observe(BlockFinal(head.epoch, head.view, head.height, each.hash)))
        effects.append(
            Forward(
                Finalized(
                    epoch=certificate.epoch, view=certificate.view, height=node.height, transactions=tuple(transactions)
                )
            )
        )
        self.pool.forget_final(node)
        if node.closing:
            # Those who miss this certificate would go on proposing the closing block: forward it once.
            message = encode_message(CertificateMessage(certificate))
            effects.append(Broadcast(message))
            if self.chain.outdated:
                effects += self.halt()
            else:
                effects.append(Forward(CertificateStored(certificate, True, self.chain.context())))
            self._forget_views()
        assert self.chain.tree.root is node
        return effects

    def start_over(self) -> Effects:
        """A snapshot was installed: forget what hung on the chain before it, and tell the engine where it stands."""
        self.unsettled = True
        self._forget_views()
        root = self.chain.tree.root
        final = Finalized(epoch=root.ledger.core.head.epoch, view=root.view, height=root.height, transactions=())
        return [Forward(final), *(self.halt() if self.chain.outdated else [Forward(self.chain.context())])]

    def halt(self) -> Effects:
        """Stop before the first block of rules that this release does not know."""
        halt = self.chain.halt()
        return [Observe(Halted(halt.height, halt.rules)), Forward(halt)]

    def _forget_views(self) -> None:
        self.pool.clear()
        self.peer_views.clear()

    def add(self, node: ForkNode) -> Effects:
        """Store a judged block; if it was waited for, act on what certified it."""
        tree = self.chain.tree
        wanted = tree.wanted.get(node.hash)
        head = node.ledger.core.head
        effects: Effects = [
            Store(tuple(self.chain.add(node))),
            Observe(BlockValid(head.epoch, head.view, head.height, node.hash)),
        ]
        final = self.chain.pending_final
        # Finality came before the block did; all that the engine needs to know follows from the new root.
        if final is not None and final.block == node.hash:
            return [*effects, *self._make_final(node, final), Forward(self.chain.word())]
        if wanted is not None:
            certificate = tree.certificates.get((wanted, NOTARIZE))
            # Told again, now with its block at hand: the finalize that waited for it may be signed (rule 5).
            if certificate is not None:
                effects.append(Forward(CertificateStored(certificate, True, self.chain.context())))
        return effects

    def record_quietly(self, certificate: Certificate | None) -> Effects:
        """Keep a verified certificate of a page: it is old, so nobody is told before the node is level."""
        tree = self.chain.tree
        if certificate is None or certificate.epoch != tree.epoch or certificate.view < tree.root.certified:
            return []
        if (certificate.view, certificate.kind) in tree.certificates:
            return []
        return [Store(tuple(self.chain.record(certificate)))]
