"""Heartbeats: one a slot, in the first view of it, signed by the node."""

from __future__ import annotations

from lucid.chain.transactions import claim_message
from lucid.machines.engine.heartbeats import Heartbeats
from tests.builders import CRYPTO
from tests.machines.bench import BLOCK_A, Bench

BENCH = Bench(slot_duration_ms=20_000, epoch_slots=3)


def heartbeats() -> Heartbeats:
    """Those of the bench's engine."""
    secret, parameters = BENCH.secrets[BENCH.key], BENCH.genesis.parameters
    return Heartbeats(secret, BENCH.key, BENCH.chain_id, parameters, CRYPTO)


def test_each_slot_has_one_and_views_beyond_the_last_none_more() -> None:
    own = heartbeats()
    found = [own.beat(BENCH.context(view)) for view in range(1, 10)]
    assert [each.slot for each in found if each] == [0, 1, 2]
    assert [each is not None for each in found] == [True, False] * 3 + [False] * 3
    again = own.beat(BENCH.context(1, epoch=1))
    assert again is not None and (again.epoch, again.slot) == (1, 0)


def test_it_is_signed_and_names_the_block_that_is_built_on() -> None:
    beacon = heartbeats().beat(BENCH.context(parent=BLOCK_A))
    assert beacon is not None and (beacon.node, beacon.block) == (BENCH.key, BLOCK_A)
    assert CRYPTO.verify(BENCH.key, claim_message(BENCH.chain_id, beacon), beacon.signature)


def test_there_is_none_while_an_epoch_is_closed() -> None:
    own = heartbeats()
    assert own.beat(BENCH.context(closing=True)) is None
    assert own.beat(BENCH.context()) is not None, "the slot has not had one"
