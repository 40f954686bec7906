"""How far peers are, as their messages show it."""

from __future__ import annotations

import pytest

from lucid.chain.certificates import Certificate
from lucid.chain.votes import FINALIZE, NOTARIZE, SKIP, Vote
from lucid.machines.manager.sightings import Sighting, Sightings
from lucid.machines.messages import CertificateMessage, Standing, Transactions, VoteMessage

PEER, OTHER, BLOCK = b"p" * 32, b"o" * 32, b"b" * 32


def vote(epoch: int, view: int, kind: int) -> VoteMessage:
    """A vote of the peer."""
    return VoteMessage(Vote(epoch, view, kind, b"" if kind == SKIP else BLOCK, PEER, bytes(64)))


@pytest.mark.parametrize(("kind", "seen"), [(FINALIZE, 7), (NOTARIZE, 6), (SKIP, 6)])
def test_a_vote_says_which_view_is_over(kind: int, seen: int) -> None:
    sightings = Sightings()
    sightings.note(5, PEER, vote(1, 7, kind))
    assert sightings.latest == {PEER: Sighting(1, seen, 0, 5)}


def test_the_latest_place_and_the_highest_height_are_kept() -> None:
    sightings = Sightings()
    sightings.note(1, PEER, Standing(1, 9, 40, (), None))
    sightings.note(2, PEER, CertificateMessage(Certificate(1, 4, NOTARIZE, BLOCK, b"", ())))
    assert sightings.latest[PEER] == Sighting(1, 8, 40, 2)
    sightings.note(3, PEER, Standing(2, 0, 39, (), None))
    assert sightings.latest[PEER] == Sighting(2, 0, 40, 3)
    assert OTHER not in sightings.latest


def test_what_says_nothing_of_its_sender_is_no_sighting() -> None:
    sightings = Sightings()
    sightings.note(1, PEER, Transactions(()))
    assert not sightings.latest
