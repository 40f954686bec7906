"""What nodes sign, for tests that speak for them: proposals, and certificates of anything."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lucid.chain.blocks import Block
from lucid.chain.certificates import Certificate, assemble
from lucid.chain.transactions import Payload, Transaction
from lucid.chain.votes import FINALIZE, NOTARIZE, PROPOSE, SKIP
from lucid.ledger.turn import Turn
from lucid.machines.messages import CertificateMessage, Proposal
from tests.builders import Chain
from tests.machines.peers import NODES, Peer, key_of, refusals


def proposal(chain: Chain, *candidates: Transaction | Payload, **options: Any) -> Proposal:
    """The next block of a chain, as its leader puts it forward; the chain moves on to it."""
    view = options.get("view") or chain.next_view
    leader, epoch = chain.leader(view).key, chain.turn.epoch
    block = chain.grow(*candidates, **options)
    return Proposal(chain.vote(leader, PROPOSE, chain.hash, view, epoch), block, None)


def again(chain: Chain, block: Block, view: int) -> Proposal:
    """The closing block on the tip of a chain, put forward once more, on its notarization in its own view."""
    leader = chain.tip.core.roster.members[Turn(chain.tip, chain.parameters, repeat=True).leader(view)].key
    header = block.header
    vote = chain.vote(leader, PROPOSE, header.hash, view, header.epoch)
    return Proposal(vote, block, certificate(chain, NOTARIZE, header.view, header.hash, header.epoch))


def certificate(
    chain: Chain, kind: int, view: int, block: bytes = b"", epoch: int = 0, signers: Iterable[int] = range(NODES)
) -> Certificate:
    """A certificate by the nodes of these numbers, of whatever they may be taken to say."""
    votes = [chain.vote(key_of(number), kind, block, view, epoch) for number in signers]
    keys = sorted(vote.signer for vote in votes)
    signatures = {keys.index(vote.signer): vote.signature for vote in votes}
    return assemble(epoch, view, kind, block, signatures, len(keys))


def notarize(peer: Peer, chain: Chain, *proposals: Proposal) -> None:
    """Let a peer hear that proposals are notarized."""
    for each in proposals:
        vote = each.vote
        peer.hear(CertificateMessage(certificate(chain, NOTARIZE, vote.view, vote.block, vote.epoch)))


def finalize(peer: Peer, chain: Chain, each: Proposal, view: int | None = None) -> None:
    """Let a peer hear that a proposal's block is final, by the certificate of its view or a later one."""
    view = each.vote.view if view is None else view
    peer.hear(CertificateMessage(certificate(chain, FINALIZE, view, each.vote.block, each.vote.epoch)))
    assert peer.manager.chain.tree.root.hash == each.vote.block


def extend(peer: Peer, chain: Chain, *views: int) -> list[Proposal]:
    """Let a peer hear the proposal and the notarization of each view; what lies between is skipped."""
    proposals = []
    for view in views:
        tree = peer.manager.chain.tree
        for skipped in range(tree.entry_view + 1, view):
            peer.hear(CertificateMessage(certificate(chain, SKIP, skipped, epoch=tree.epoch)))
        proposals.append(proposal(chain, view=view))
        assert not refusals(peer.hear(proposals[-1]))
        notarize(peer, chain, proposals[-1])
    return proposals


def close_epoch(peer: Peer, chain: Chain) -> Proposal:
    """Let a peer hear a block in the last view of the epoch, and its notarization."""
    last = chain.parameters.epoch_views
    for view in range(1, last):
        peer.hear(CertificateMessage(certificate(chain, SKIP, view)))
    closing = proposal(chain, chain.anchor(), view=last)
    assert not refusals(peer.hear(closing))
    notarize(peer, chain, closing)
    return closing
