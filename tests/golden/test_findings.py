"""Where the machines are known to leave the protocol, each in the fewest steps; strict, so that a fix shows."""

from __future__ import annotations

import pytest

from sim.crypto import ModelledCrypto
from tests.golden.script import Player


@pytest.mark.xfail(strict=True, raises=AssertionError, reason="that a lost log bars its key rests on the node's clock")
def test_a_node_that_lost_everything_and_boots_in_1970_signs_nothing_that_it_may_have_signed() -> None:
    """lost_everything.txt, but node 2 has no clock until a moment after its start, as a Pi has none. It signs twice."""
    player = Player(ModelledCrypto())
    script = """
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
        clock 2 -472000h
        restart 2
        clock 2 +472000h
        run 30s
    """
    for line in filter(None, map(str.strip, script.splitlines())):
        player.do(line)
