"""A short, fixed part of what is fuzzed at length: what nodes and clients say, and what they are shown. See `fuzz/`."""

from __future__ import annotations

from contextlib import suppress
from random import Random

import pytest

from fuzz import targets
from fuzz.hostile import KINDS, message
from lucid.chain.errors import Refusal
from lucid.machines.decodedmessages import decode_message

CASES = {
    "messages": 400,
    "handshake": 250,
    "peer_dialed": 80,
    "peer_port": 60,
    "receipts": 1_500,
    "json_bodies": 150,
}


@pytest.mark.parametrize("target", CASES)
def test_the_first_cases_hold(target: str) -> None:
    with targets.opened(target) as attempt:
        for case in range(CASES[target]):
            attempt(Random(f"{target} 1 {case}"))


def test_values_of_every_kind_of_message_reach_the_machines() -> None:
    kinds = set()
    for case in range(4_000):
        with suppress(Refusal):
            kinds.add(type(decode_message(message(Random(case)))))
    assert kinds == set(KINDS)
