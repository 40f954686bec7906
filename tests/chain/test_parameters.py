"""The parameters of a chain: every bound of section 3, and what follows from them."""

from __future__ import annotations

import pytest
from msgspec import structs

from lucid.chain.errors import GenesisError
from lucid.chain.genesis import Genesis, GenesisNode
from lucid.chain.parameters import DAY_MS, Parameters, paced

GENESIS = Genesis(1_700_000_000_000, (GenesisNode(bytes([1]) * 32, "alpha"),))

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
    """What is wrong with a document."""
    with pytest.raises(GenesisError) as error:
        genesis.check()
    return error.value.detail


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


@pytest.mark.parametrize("interval_ms", [1_000, 2_000, 10_000, 60_000])
def test_a_pace_comes_with_a_timeout_and_a_drift_that_fit(interval_ms: int) -> None:
    found = paced(interval_ms)
    structs.replace(GENESIS, parameters=found).check()
    assert (found.block_interval_ms, found.slot_views) == (interval_ms, 12)
