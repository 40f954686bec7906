"""Where the machines are known to leave the protocol, each in the fewest steps; strict, so that a fix shows."""

from __future__ import annotations

import pytest

from sim.crypto import ModelledCrypto
from tests.golden.script import Player


def play(script: str) -> Player:
    """Perform commands, one a line."""
    player = Player(ModelledCrypto())
    for line in script.split("\n"):
        if line.strip():
            player.do(line)
    return player


@pytest.mark.xfail(strict=True, reason="a proposal on an older parent takes the place of the view's later, better one")
def test_a_refused_proposal_does_not_stand_in_the_way_of_the_leaders() -> None:
    """The first steps of older_parent_refused.txt: node 1 leads view 2 on genesis and node 3 leads it on B1."""
    player = play("""
        nodes 4
        tick 10s
        deliver propose
        hold notarize
        tick 5s
        drop standing
        hold ->2,3,4 skip
        deliver skip
        release
        hold ->1
        deliver notarize
        deliver certificate
        deliver propose
        tick 5s
        deliver propose
        run 4s
    """)
    assert player.do("status 2") == ["2: in v3, led by 3 on B2'; final: B2'"]


@pytest.mark.xfail(strict=True, raises=AssertionError, reason="with its blocks lost too, the log's epoch is not known")
def test_a_node_that_lost_everything_signs_nothing_that_it_may_have_signed() -> None:
    """Node 2 has skipped a view of epoch 1. It starts over from nothing, catches up, and signs in that view again."""
    play("""
        nodes 4 slot_duration_ms=20000 epoch_slots=2
        fast-forward 50s
        crash 4
        mute 1,3-> propose
        mute ->2 skip
        mute 2-> skip
        tick 15s
        crash 2
        wipe all 2
        heal
        restart 2
        run 30s
    """)
