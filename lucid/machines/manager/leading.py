"""Leading: builds the block that this node's engine signs, and puts it forward (protocol section 4)."""

from __future__ import annotations

from lucid.chain.blocks import Block
from lucid.chain.transactions import Transaction
from lucid.chain.votes import NOTARIZE
from lucid.ledger.validation import Built
from lucid.machines.chain import Chain
from lucid.machines.effects import BlockBuilt, Build, Effects, Forward, Observe, Proposed, Publish, Verdict
from lucid.machines.forktree import ForkNode
from lucid.machines.limits import Limits
from lucid.machines.manager.book import CertificateBook
from lucid.machines.manager.dissemination import Dissemination
from lucid.machines.manager.gaps import Gaps
from lucid.machines.manager.pool import ProposalPool
from lucid.machines.messages import Proposal, VoteMessage, encode_message


class Leading:
    """This node's own proposals. `built` waits for the engine's signature; a later one takes its place."""

    def __init__(
        self,
        chain: Chain,
        book: CertificateBook,
        pool: ProposalPool,
        gaps: Gaps,
        dissemination: Dissemination,
        limits: Limits,
    ) -> None:
        self.chain = chain
        self.book = book
        self.pool = pool
        self.gaps = gaps
        self.dissemination = dissemination
        self.limits = limits
        self.built: Built | None = None

    def on_build(self, now: int, event: Build) -> Effects:
        """Execute a block on the best one, if that is still what the engine means to build on."""
        best = self.chain.tree.best
        # A closing block has no child before it is final (section 6, rule 2).
        if best.hash != event.parent or (best.closing and best is not self.chain.tree.root):
            return []
        path = self.chain.tree.path(best)
        in_chain = {identity for node in path for identity in node.ledger.transactions}
        candidates: tuple[Transaction, ...] = event.candidates
        if len(path) >= self.limits.full_unfinal:
            # Nothing has become final for long: empty blocks keep memory from growing, and the chain from standing.
            candidates = ()
        # A second time it would be refused, and the refusals count against it (section 6, Mempool and building).
        if in_chain:
            candidates = tuple([each for each in candidates if each.id not in in_chain])
        self.built = built = self.chain.validator.build(
            best.ledger,
            best.hash,
            best.turn,
            certificate=self.chain.parent_certificate(),
            view=event.view,
            tick=event.tick,
            vrf_proof=event.vrf_proof,
            late_votes=event.late_votes,
            candidates=candidates,
        )
        rejected = tuple([(transaction.id, code) for transaction, code in built.rejected])
        return [Forward(BlockBuilt(view=event.view, parent=event.parent, hash=built.header.hash, rejected=rejected))]

    def on_publish(self, now: int, event: Publish) -> Effects:
        """Send out this node's own proposal, durable first, and judge it fit for its own vote."""
        vote, tree = event.vote, self.chain.tree
        # The view went on while the engine signed: nobody may vote for it any more.
        if vote.epoch != tree.epoch or vote.view != tree.entry_view + 1:
            return []
        node = tree.nodes.get(vote.block)
        effects: Effects = []
        if node is not None:
            assert node.closing and node.block is not None, "only a closing block comes again"
            notarization = tree.certificates.get((node.certified, NOTARIZE))
            assert notarization is not None, "a block is repeated on its notarization"
            proposal = Proposal(vote=vote, block=node.block, notarization=notarization)
            base_view, fresh = notarization.view, False
        else:
            built = self.built
            if built is None or built.header.hash != vote.block or built.header.parent not in tree.nodes:
                return []
            block = Block(
                header=built.header,
                signature=event.signature,
                parent_certificate=built.parent_certificate,
                late_votes=built.late_votes,
                transactions=built.transactions,
            )
            parent = tree.nodes[built.header.parent]
            node = ForkNode(vote.block, block, parent, built.ledger, self.chain.parameters)
            effects += self.book.add(node)
            proposal = Proposal(vote=vote, block=block, notarization=None)
            base_view, fresh = self.gaps.base_view(built.parent_certificate), True
        self.built = None
        self.pool.judged[vote.view, vote.signer] = vote.block
        head = node.ledger.core.head
        effects.append(Observe(Proposed(epoch=vote.epoch, view=vote.view, height=head.height, hash=vote.block)))
        effects += self.dissemination.spread(now, vote, encode_message(proposal), event.patience_ms)
        gap = tree.missing_skips(base_view, vote.view)
        if gap is not None:
            # Others may hold the skips that this node lacks, but it votes like them: once it holds them (rule 3).
            self.pool.wait(vote.signer, proposal)
            return effects + self.gaps.ask_next(now, gap)
        verdict = Verdict(
            epoch=vote.epoch, view=vote.view, block=vote.block, base_view=base_view, tick=head.tick, fresh=fresh
        )
        self.pool.verdict = verdict
        return [*effects, Forward(VoteMessage(vote)), Forward(verdict)]
