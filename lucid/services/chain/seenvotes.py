"""The votes of a key that the chain holds, as a block manager tells its engine of them."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from lucid.chain.blocks import Block
from lucid.chain.certificates import signer_places
from lucid.chain.votes import PROPOSE
from lucid.machines.chain import Chain

LOOKED_BACK_BLOCKS = 1_000
"""How far back a key's votes are looked for: some seconds of reading at most, on a Pi's card."""


class SeenVote(msgspec.Struct, frozen=True):
    """A vote that the chain holds; `block` is empty for a skip."""

    view: int
    kind: int
    block: str


class SeenVotes:
    """The votes in the blocks of a chain."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain

    def voters(self) -> tuple[int, tuple[bytes, ...], bytes]:
        """The current epoch, the keys of its validators, and the hash of the best notarized block."""
        tree = self._chain.tree
        return tree.epoch, self._chain.validators.keys, tree.best.hash

    def last_vote(self, key: bytes, views: range, epoch: int, keys: tuple[bytes, ...], best: bytes) -> SeenVote | None:
        """The latest vote of a key, in these views of this epoch, that the blocks up to `best` hold; None without one.

        A block is a vote of its proposer, and holds the votes of its parent's certificate, and late ones.
        """
        block = self._chain.block(best)
        for _ in range(LOOKED_BACK_BLOCKS):
            if block is None or block.header.epoch != epoch:
                return None
            votes = [vote for vote in _votes_in(block, key, keys) if vote.view in views]
            if votes or block.header.view < views.start:
                return max(votes, key=lambda vote: vote.view, default=None)
            block = self._chain.block(block.header.parent)
        return None


def _votes_in(block: Block, key: bytes, keys: tuple[bytes, ...]) -> Iterator[SeenVote]:
    """The votes of a key that a block shows, of the block's epoch; `keys` are the validators' then."""
    header, parent = block.header, block.parent_certificate
    if header.proposer == key:
        yield SeenVote(header.view, PROPOSE, header.hash.hex())
    for vote in block.late_votes:
        if vote.signer == key and vote.epoch == header.epoch:
            yield SeenVote(vote.view, vote.kind, vote.block.hex())
    if parent is None or parent.epoch != header.epoch or key not in keys:
        return
    if keys.index(key) in signer_places(parent.signers):
        yield SeenVote(parent.view, parent.kind, parent.block.hex())
