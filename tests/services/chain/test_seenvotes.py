"""The latest vote of a key that the chain holds: a block is one of its proposer, and holds those of its certificate."""

from __future__ import annotations

import pytest

from lucid.chain.certificates import signer_places
from lucid.chain.votes import NOTARIZE, PROPOSE
from lucid.services.chain import seenvotes
from lucid.services.chain.seenvotes import SeenVote, SeenVotes
from lucid.storage.sqlite import SqliteStore
from tests.builders import make_genesis
from tests.services.chain.growing import Growing

ALL = range(2**53)


def test_a_block_is_a_vote_of_its_proposer_and_holds_those_for_its_parent(store: SqliteStore) -> None:
    growing = Growing(store, make_genesis(nodes=4))
    blocks = [growing.grow() for _ in range(5)]
    votes = SeenVotes(growing.chain)
    epoch, keys, best = votes.voters()
    assert (epoch, len(keys), best) == (0, 4, blocks[-1].header.hash)
    certified = blocks[-1].parent_certificate
    assert certified is not None and certified.kind == NOTARIZE
    signers = {keys[place] for place in signer_places(certified.signers)}
    assert len(signers) == 3
    for key in keys:
        found = votes.last_vote(key, ALL, epoch, keys, best)
        if key == blocks[-1].header.proposer:
            assert found == SeenVote(blocks[-1].header.view, PROPOSE, best.hex())
        elif key in signers:
            assert found == SeenVote(certified.view, NOTARIZE, certified.block.hex())
        else:
            assert found is None or found.view < certified.view


def test_only_votes_of_the_views_asked_for_count_and_of_nobody_there_is_none(store: SqliteStore) -> None:
    growing = Growing(store, make_genesis(nodes=1))
    blocks = [growing.grow() for _ in range(6)]
    votes = SeenVotes(growing.chain)
    voters = votes.voters()
    (key,) = voters[1]
    early = blocks[2].header
    found = votes.last_vote(key, range(early.view, early.view + 1), *voters)
    assert found is not None and found.view == early.view and found.block == early.hash.hex()
    for wrong in (bytes(32), b"k" * 32):
        assert votes.last_vote(wrong, ALL, *voters) is None
    assert votes.last_vote(key, range(blocks[-1].header.view + 1, 2**53), *voters) is None
    assert votes.last_vote(key, ALL, 1, voters[1], voters[2]) is None, "of another epoch"


def test_it_is_looked_back_so_far_and_no_further(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    growing = Growing(store, make_genesis(nodes=1))
    blocks = [growing.grow() for _ in range(6)]
    votes = SeenVotes(growing.chain)
    voters = votes.voters()
    (key,) = voters[1]
    early = range(blocks[1].header.view + 1)
    assert votes.last_vote(key, early, *voters) is not None
    monkeypatch.setattr(seenvotes, "LOOKED_BACK_BLOCKS", 3)
    assert votes.last_vote(key, early, *voters) is None
