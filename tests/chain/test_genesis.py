"""The genesis document: every bound of section 3, the chain id, and the clock of ticks."""

from __future__ import annotations

from typing import Any

import pytest
from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from lucid.chain.codec import encode
from lucid.chain.errors import GenesisError
from lucid.chain.genesis import DAY_MS, Genesis, GenesisNode, Parameters, decode_genesis
from tests.messagepack import pack

KEYS = [bytes([number]) * 32 for number in range(1, 6)]
GENESIS = Genesis(
    1_700_000_000_000,
    (GenesisNode(KEYS[0], "alpha"), GenesisNode(KEYS[1], "beta", "attic")),
    (KEYS[2], KEYS[3]),
    2,
)

# Protocol section 3 for the parameters that it bounds; the rest as docs/protocol.md has it.
BOUNDS = [
    ("block_interval_ms", 1_000, 60_000),
    ("slot_timeout_ms", 1_000, 10_000),
    ("cooldown_slots", 8, 64),
    ("leader_window_days", 3, 14),
    ("epoch_slots", 1, 100_000),
    ("min_uptime_ppm", 0, 1_000_000),
    ("base_mb_per_session", 1, 20),
    ("missed_slot_penalty_ppm", 0, 1_000_000),
    ("max_block_bytes", 65_536, 16 << 20),
    ("max_block_transactions", 1, 100_000),
    ("max_transaction_bytes", 1_024, 1 << 20),
    ("max_clock_drift_ms", 1, 60_000),
    ("transaction_lifetime_blocks", 16, 1_000_000),
    ("evidence_epochs", 1, 1_000),
    ("vote_credits", 0, 1_000),
]
# What else must give way for a parameter to stand at its bound.
COMPANIONS = {
    "slot_timeout_ms": {"max_clock_drift_ms": 1},
    "block_interval_ms": {"slot_duration_ms": 120_000},
}


def with_parameters(**changes: int) -> Genesis:
    return structs.replace(GENESIS, parameters=structs.replace(GENESIS.parameters, **changes))


def complaint(genesis: Genesis) -> str:
    """What is wrong with a document, asked both ways."""
    with pytest.raises(GenesisError) as built:
        genesis.check()
    with pytest.raises(GenesisError) as decoded:
        decode_genesis(encode(genesis))
    assert str(built.value) == str(decoded.value)
    return built.value.detail


def test_the_defaults_are_those_of_the_protocol() -> None:
    assert structs.asdict(Parameters()) == {
        "block_interval_ms": 10_000,
        "slot_duration_ms": 120_000,
        "slot_timeout_ms": 5_000,
        "cooldown_slots": 16,
        "leader_window_days": 7,
        "epoch_slots": 720,
        "min_uptime_ppm": 200_000,
        "base_mb_per_session": 5,
        "missed_slot_penalty_ppm": 500_000,
        "max_block_bytes": 1_048_576,
        "max_block_transactions": 1_000,
        "max_transaction_bytes": 65_536,
        "max_clock_drift_ms": 2_000,
        "transaction_lifetime_blocks": 720,
        "evidence_epochs": 7,
        "vote_credits": 1,
    }
    assert (Parameters().slot_views, Parameters().epoch_views, Parameters().window_slots) == (12, 8_640, 5_040)
    assert GENESIS.check() is GENESIS
    assert decode_genesis(encode(GENESIS)) == GENESIS


@pytest.mark.parametrize(("name", "low", "high"), BOUNDS)
def test_a_parameter_may_stand_at_its_bounds_and_not_beyond(name: str, low: int, high: int) -> None:
    companions = COMPANIONS.get(name, {})
    for value in (low, high):
        if (name, value) == ("max_clock_drift_ms", high):
            continue  # a timeout twice that is out of bounds itself
        with_parameters(**companions | {name: value}).check()
    for value in (low - 1, high + 1):
        if value >= 0:
            assert complaint(with_parameters(**companions | {name: value})) == (
                f"parameters.{name} must be within {low}..{high}, is {value}"
            )


def test_every_parameter_is_bounded() -> None:
    bounded = {name for name, *_ in BOUNDS}
    assert bounded | {"slot_duration_ms"} == set(Parameters.__struct_fields__)
    for name in bounded:
        assert complaint(with_parameters(**{name: 2**53})).startswith(f"parameters.{name} ")
    complaint(with_parameters(slot_duration_ms=2**53))


@pytest.mark.parametrize(
    ("interval", "slot", "holds"),
    [
        (10_000, 10_000, True),
        (10_000, 20_000, True),
        (10_000, 0, False),
        (10_000, 9_999, False),
        (10_000, 10_001, False),
        (10_000, 125_000, False),
        (60_000, 30_000, False),
    ],
)
def test_a_slot_is_a_multiple_of_the_interval(interval: int, slot: int, holds: bool) -> None:
    genesis = with_parameters(block_interval_ms=interval, slot_duration_ms=slot)
    if holds:
        genesis.check()
    else:
        assert complaint(genesis) == "parameters.slot_duration_ms must be a multiple of block_interval_ms"


def test_the_timeout_exceeds_twice_the_drift() -> None:
    with_parameters(slot_timeout_ms=4_001, max_clock_drift_ms=2_000).check()
    wish = "parameters.slot_timeout_ms must exceed twice max_clock_drift_ms"
    assert complaint(with_parameters(slot_timeout_ms=4_000, max_clock_drift_ms=2_000)) == wish
    assert complaint(with_parameters(max_clock_drift_ms=60_000)) == wish


def test_the_window_holds_the_slot_before_and_not_millions() -> None:
    """Heartbeats count for this slot and the one before, so a window of one would count work that it has dropped."""
    wish = "parameters.leader_window_days"
    with_parameters(leader_window_days=3, block_interval_ms=60_000, slot_duration_ms=3 * DAY_MS // 2).check()
    for days in (2, 3):
        genesis = with_parameters(leader_window_days=3, block_interval_ms=60_000, slot_duration_ms=days * DAY_MS)
        assert complaint(genesis).startswith(wish)
    assert complaint(with_parameters(leader_window_days=3, slot_duration_ms=4 * DAY_MS)).startswith(wish)
    # Fourteen days of slots of a second are 1 209 600.
    small = {"leader_window_days": 14, "block_interval_ms": 1_000}
    assert complaint(with_parameters(**small, slot_duration_ms=1_000)).startswith(wish)
    with_parameters(leader_window_days=13, block_interval_ms=1_000, slot_duration_ms=1_000).check()


@pytest.mark.parametrize(
    ("changes", "wish"),
    [
        ({"chain": "lucid_block"}, "chain must be lucid_blocks"),
        ({"nodes": ()}, "nodes must name at least one node"),
        ({"nodes": (GenesisNode(KEYS[0], "a"), GenesisNode(KEYS[0], "b"))}, "nodes names a key twice"),
        ({"nodes": (GenesisNode(KEYS[0], ""),)}, "nodes has a bad name length"),
        ({"nodes": (GenesisNode(KEYS[0], "n" * 65),)}, "nodes has a bad name length"),
        ({"nodes": (GenesisNode(KEYS[0], "ß" * 33),)}, "nodes has a bad name length"),
        ({"nodes": (GenesisNode(KEYS[0], "a", "p" * 65),)}, "nodes has a bad pool length"),
        ({"administrators": (KEYS[2], KEYS[2])}, "administrators names a key twice"),
        ({"threshold": 3}, "threshold exceeds the number of administrators"),
        ({"threshold": 0}, "threshold must be at least 1"),
        ({"administrators": (), "threshold": 1}, "threshold exceeds the number of administrators"),
    ],
)
def test_who_starts_a_chain(changes: dict[str, Any], wish: str) -> None:
    assert complaint(structs.replace(GENESIS, **changes)) == wish


@pytest.mark.parametrize(
    "changes",
    [
        {"nodes": (GenesisNode(KEYS[0], "n" * 64, "p" * 64),)},
        {"nodes": (GenesisNode(KEYS[0], "ß" * 32, ""),)},
        {"nodes": (GenesisNode(KEYS[0], "same"), GenesisNode(KEYS[1], "same"))},
        {"administrators": (), "threshold": 0},
        {"threshold": 1},
        {"administrators": (KEYS[0],), "threshold": 1},
        {"genesis_time_ms": 0},
    ],
)
def test_who_may_start_a_chain(changes: dict[str, Any]) -> None:
    genesis = structs.replace(GENESIS, **changes)
    assert decode_genesis(encode(genesis)) == genesis


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"genesis_time_ms": -1}, "$[0]"),
        ({"genesis_time_ms": 2**53 + 1}, "$[0]"),
        ({"nodes": (GenesisNode(bytes(31), "a"),)}, "$[1][0][0]"),
        ({"administrators": (bytes(33),)}, "$[2][0]"),
        ({"threshold": -1}, "$[3]"),
    ],
)
def test_a_document_of_the_wrong_shape_is_a_genesis_error_that_says_where(changes: dict[str, Any], place: str) -> None:
    with pytest.raises(GenesisError) as error:
        decode_genesis(encode(structs.replace(GENESIS, **changes)))
    assert place in error.value.detail


def test_a_document_that_is_not_canonical_is_a_genesis_error() -> None:
    with pytest.raises(GenesisError, match="not the canonical encoding"):
        decode_genesis(encode((1, ((KEYS[0], "a", ""),))))
    with pytest.raises(GenesisError):
        decode_genesis(b"")


def test_the_chain_id_hashes_the_whole_document() -> None:
    hasher = blake3(derive_key_context="lucid genesis v1")
    hasher.update(pack(GENESIS))
    assert GENESIS.chain_id == hasher.digest()


@pytest.mark.parametrize("field", Genesis.__struct_fields__)
def test_another_document_is_another_chain(field: str) -> None:
    others = {
        "genesis_time_ms": 1,
        "nodes": GENESIS.nodes[::-1],
        "administrators": GENESIS.administrators[::-1],
        "threshold": 1,
        "parameters": Parameters(vote_credits=2),
        "chain": "other",
    }
    assert structs.replace(GENESIS, **{field: others[field]}).chain_id != GENESIS.chain_id


def test_ticks() -> None:
    assert GENESIS.tick_ms(0) == 1_700_000_000_000
    assert GENESIS.tick_ms(3) == 1_700_000_030_000
    assert GENESIS.tick_at(1_700_000_029_999) == 2
    assert GENESIS.tick_at(1_700_000_030_000) == 3
    assert GENESIS.tick_at(0) == 0
    assert GENESIS.tick_at(1_699_999_999_999) == 0


@given(now_ms=st.integers(1_700_000_000_000, 2**53))
def test_a_tick_holds_the_times_from_its_beginning_to_the_next(now_ms: int) -> None:
    tick = GENESIS.tick_at(now_ms)
    assert GENESIS.tick_ms(tick) <= now_ms < GENESIS.tick_ms(tick + 1)
