"""Where the machines are known to leave the protocol, each in the fewest steps; strict, so that a fix shows."""

from __future__ import annotations

import pytest

from sim.crypto import ModeledCrypto
from tests.golden.script import Player


@pytest.mark.xfail(strict=True, raises=AssertionError, reason="an old certificate passes for a new one")
def test_a_certificate_that_comes_late_frees_no_key_whose_log_is_lost() -> None:
    """lost_everything_and_clock.txt, and one message of the first epoch that was on its way all the while.

    Node 2 takes it for a sign that it witnessed that epoch, and signs in the second what it has signed before.
    """
    player = Player(ModeledCrypto())
    script = """
        nodes 4 slot_duration_ms=20000 epoch_slots=2
        tick 10s
        deliver
        deliver
        hold 1->2 certificate
        fast-forward 40s
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
        release
        deliver certificate
        run 30s
    """
    for line in filter(None, map(str.strip, script.splitlines())):
        player.do(line)
