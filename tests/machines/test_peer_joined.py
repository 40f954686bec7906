"""A connection to a peer that was made anew: what the last one may have lost is said again at once."""

from __future__ import annotations

from lucid.chain.votes import FINALIZE, NOTARIZE, SKIP, Vote
from lucid.machines.effects import BroadcastVote, PeerJoined
from lucid.machines.messages import Standing
from tests.builders import Chain
from tests.machines.peers import Peer, key_of, sends, tiny_genesis
from tests.machines.statements import extend, finalize

GENESIS = tiny_genesis(epoch_slots=100)


def standing(peer: Peer, joined: int = 2) -> Standing:
    """What a peer who joins is told: one standing, and nobody else is told anything."""
    [(receiver, message)] = sends(peer.step(PeerJoined(key_of(joined))))
    assert receiver == key_of(joined) and isinstance(message, Standing)
    return message


def cast(peer: Peer, chain: Chain, kind: int, view: int, block: bytes = b"") -> Vote:
    """Let a peer's engine have signed this."""
    vote = chain.vote(peer.key, kind, block, view, 0)
    peer.step(BroadcastVote(vote))
    return vote


def test_before_any_vote_it_is_told_where_the_node_stands() -> None:
    peer, chain = Peer(GENESIS), Chain(GENESIS)
    assert standing(peer) == Standing(0, 1, 0, (), peer.manager.chain.tree.entry)
    extend(peer, chain, 1, 2)
    assert standing(peer) == Standing(0, 3, 0, (), peer.manager.chain.tree.entry)


def test_it_is_told_the_votes_of_the_view_and_the_finalize_of_the_one_before() -> None:
    peer, chain = Peer(GENESIS), Chain(GENESIS)
    cast(peer, chain, NOTARIZE, 1, bytes(32))
    [_, second] = extend(peer, chain, 1, 2)
    cast(peer, chain, NOTARIZE, 2, second.vote.block)
    final = cast(peer, chain, FINALIZE, 2, second.vote.block)
    assert standing(peer).votes == (final,), "those of the views before are of no use any more"
    skip = cast(peer, chain, SKIP, 3)
    assert standing(peer).votes == standing(peer, 1).votes == (final, skip)
    finalize(peer, chain, second)
    assert standing(peer).votes == (skip,), "the block is final"


def test_only_the_newest_votes_are_remembered() -> None:
    peer, chain = Peer(GENESIS), Chain(GENESIS)
    for view in range(1, 200):
        cast(peer, chain, NOTARIZE, view, bytes(32))
        cast(peer, chain, SKIP, view)
        assert len(peer.manager.standings._sent_votes) <= 4
