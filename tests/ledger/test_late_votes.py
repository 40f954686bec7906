"""Late votes: which are credited, where, and which a leader leaves out and a judge refuses.

Slots have three views, epochs four slots and the window three slots unless a test says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from lucid.chain.errors import Code, Refusal
from lucid.chain.votes import FINALIZE, NOTARIZE, SKIP, Vote
from tests.builders import Chain, digest, grown


def missed_votes(chain: Chain, views: Iterable[int], places: Iterable[int] = (3,)) -> list[Vote]:
    """Notarize votes for blocks of this chain by validators at these places."""
    keys = chain.tip.validators.keys
    blocks = {block.header.view: block.header.hash for block in chain.blocks}
    return [chain.vote(keys[place], NOTARIZE, blocks[view], view) for view in views for place in sorted(places)]


def test_a_late_vote_is_credited_in_the_slot_of_its_block() -> None:
    chain = grown(4)
    before = chain.tip.core.tally.credits
    slots = [chain.work(0), chain.work(1)]
    block = chain.grow(late_votes=missed_votes(chain, [2, 4]), signers=[0, 1, 2])
    assert len(block.late_votes) == 2
    member = chain.tip.core.roster.validators[3]
    assert chain.tip.core.tally.credits[member] == before[member] + 2
    for slot, old in enumerate(slots):
        now = chain.work(slot)
        assert old is not None and now is not None and now.credits[member] == old.credits[member] + 1
    credited = {recent.view: recent.credited for recent in chain.tip.core.head.recent}
    assert credited == {0: b"\x00", 1: b"\x07", 2: b"\x0f", 3: b"\x07", 4: b"\x0f"}


def test_a_late_vote_counts_once() -> None:
    chain = grown(4)
    late = missed_votes(chain, [2])
    chain.grow(late_votes=late)
    assert chain.build(late_votes=late).late_votes == ()
    assert chain.build(late_votes=missed_votes(chain, [3], [0])).late_votes == ()
    # One that the certificate of the very parent holds is none either; the one that it lacks is.
    assert len(chain.build(late_votes=missed_votes(chain, [5], [0, 1, 2, 3])).late_votes) == 1


def test_late_votes_reach_back_to_the_slot_before() -> None:
    chain = grown(6)
    for view in range(1, 7):
        expected = int(view > 3)  # the block will be of slot 2, and slot 1 begins with view 4
        assert len(chain.build(late_votes=missed_votes(chain, [view])).late_votes) == expected


def test_a_leader_leaves_out_what_can_not_be_credited() -> None:
    chain = grown(4)
    keys = chain.tip.validators.keys
    good = missed_votes(chain, [2, 3])
    hash_ = chain.blocks[2].header.hash
    bad = [
        chain.vote(keys[3], NOTARIZE, digest("other"), 3),
        chain.vote(keys[3], NOTARIZE, hash_, 2),
        chain.vote(keys[3], FINALIZE, hash_, 3),
        chain.vote(keys[3], SKIP, b"", 3),
        chain.vote(keys[3], NOTARIZE, hash_, 3, epoch=1),
        chain.vote(chain.node(6), NOTARIZE, hash_, 3),
    ]
    assert chain.build(late_votes=[good[0], *bad, good[1]]).late_votes == tuple(good)
    assert chain.build(late_votes=[good[1], good[0]]).late_votes == (good[1],)
    assert chain.build(late_votes=[good[0], good[0]]).late_votes == (good[0],)


def late_votes_code(chain: Chain, votes: Iterable[Vote]) -> Code | None:
    """What a judge makes of a block with these late votes."""
    return chain.refusal(chain.rebody(chain.seal(chain.build()), late_votes=tuple(votes)))


def test_a_judge_refuses_what_can_not_be_credited() -> None:
    chain = grown(4)
    keys, hash_ = chain.tip.validators.keys, chain.blocks[2].header.hash
    late = missed_votes(chain, [2, 3])
    for votes in (
        late[::-1],
        [late[0], late[0]],
        [*late, chain.vote(keys[3], NOTARIZE, digest("other"), 4)],
        [chain.vote(keys[3], NOTARIZE, hash_, 2)],
        [chain.vote(keys[3], FINALIZE, hash_, 3)],
        [chain.vote(keys[3], NOTARIZE, hash_, 3, epoch=1)],
        [chain.vote(chain.node(6), NOTARIZE, hash_, 3)],
        missed_votes(chain, [3], [1]),
    ):
        assert late_votes_code(chain, votes) is Code.BLOCK_LATE_VOTES
    # In order they are credited, and what is wrong is only the root that was computed without them.
    assert late_votes_code(chain, late) is Code.BLOCK_STATE_ROOT
    both = missed_votes(grown(4, nodes=6), [2], [4, 5])
    chain = grown(4, nodes=6)
    assert late_votes_code(chain, both) is Code.BLOCK_LATE_VOTES, "place 4 is in the certificate"
    both = missed_votes(chain, [2, 3], [5])
    assert late_votes_code(chain, both) is Code.BLOCK_STATE_ROOT


def test_late_votes_ascend_by_view_and_then_by_validator() -> None:
    chain = grown(4, nodes=9)
    late = missed_votes(chain, [2, 3], [7, 8])
    assert len(chain.grow(late_votes=late).late_votes) == 4
    chain = grown(4, nodes=9)
    swapped = [late[1], late[0], late[2], late[3]]
    assert late_votes_code(chain, swapped) is Code.BLOCK_LATE_VOTES
    assert late_votes_code(chain, [late[2], late[1]]) is Code.BLOCK_LATE_VOTES


def test_a_late_vote_must_be_signed() -> None:
    chain = grown(4)
    (late,) = missed_votes(chain, [2])
    forged = Vote(late.epoch, late.view, late.kind, late.block, late.signer, bytes(64))
    assert late_votes_code(chain, [forged]) is Code.BLOCK_LATE_VOTES
    with pytest.raises(Refusal):
        chain.build(late_votes=[forged])


def test_nobody_votes_for_genesis() -> None:
    """Its view is 0 and its slot -1: a validator may sign such a vote, and it must earn nothing and break nothing."""
    for size in (1, 4):
        chain = grown(nodes=size)
        vote = chain.vote(chain.node(0), NOTARIZE, chain.chain_id, 0)
        for _ in range(4):
            assert chain.build(late_votes=[vote]).late_votes == ()
            assert late_votes_code(chain, [vote]) is Code.BLOCK_LATE_VOTES
            chain.grow()


def test_late_votes_of_an_epoch_end_with_it() -> None:
    chain = grown(12)
    late = missed_votes(chain, [11])
    assert chain.build(late_votes=late).late_votes == ()
    assert late_votes_code(chain, late) is Code.BLOCK_LATE_VOTES


def test_late_votes_in_a_new_epoch_are_of_its_own_set() -> None:
    chain = grown(11)
    chain.grow(chain.register(5, 0), chain.register(6, 1))
    chain.grow(signers=[0, 1, 2])
    assert chain.tip.core.head.epoch == 1
    places = [place for place, key in enumerate(chain.tip.validators.keys) if key in (chain.node(5), chain.node(6))]
    others = [place for place in range(6) if place not in places]
    late = chain.vote(chain.tip.validators.keys[places[1]], NOTARIZE, chain.hash, 1, epoch=1)
    chain.grow(signers=[*others, places[0]])
    chain.grow(signers=[*others, places[0]], late_votes=[late])
    earned, order = chain.work(4), chain.tip.core.roster.validators
    assert earned is not None
    assert [earned.credits[order[place]] for place in (*others, *places)] == [2, 2, 2, 2, 2, 1]
