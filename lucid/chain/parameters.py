"""The parameters of a chain: rules that all of its nodes share (protocol section 3)."""

from __future__ import annotations

from lucid.chain.codec import Record
from lucid.chain.errors import GenesisError
from lucid.chain.fields import Natural

DAY_MS = 86_400_000
"""24 * 60 * 60 seconds."""


MAX_SLOTS = 100_000
"""Slots of an epoch, and a twelfth of a window of work (protocol section 3)."""


class Parameters(Record):
    """Rules that every node of one chain shares; all times in milliseconds, all ratios in parts per million.

    What each one says, and within which bounds, is section 3's table; those here are its defaults.
    """

    # By these a slot has twelve views, an epoch 720 slots, which is a day, and a window seven such days (section 3).
    block_interval_ms: Natural = 10_000
    slot_duration_ms: Natural = 120_000
    slot_timeout_ms: Natural = 5_000
    cooldown_slots: Natural = 16
    leader_window_days: Natural = 7
    epoch_slots: Natural = 720
    min_uptime_ppm: Natural = 200_000
    base_mb_per_session: Natural = 5
    missed_slot_penalty_ppm: Natural = 500_000
    max_block_bytes: Natural = 1 << 20
    max_block_transactions: Natural = 1_000
    max_transaction_bytes: Natural = 65_536
    max_clock_drift_ms: Natural = 2_000
    transaction_lifetime_blocks: Natural = 720
    evidence_epochs: Natural = 7
    vote_credits: Natural = 1

    @property
    def slot_views(self) -> int:
        """Views in a slot."""
        return self.slot_duration_ms // self.block_interval_ms

    @property
    def epoch_views(self) -> int:
        """Views after which the next block closes the epoch."""
        return self.epoch_slots * self.slot_views

    @property
    def window_slots(self) -> int:
        """Slots over which work counts toward leadership."""
        return self.leader_window_days * DAY_MS // self.slot_duration_ms

    @property
    def most_storage_credits(self) -> int:
        """What storage proofs may earn a node in an epoch: as much as a vote in each view."""
        return self.epoch_views * self.vote_credits


def paced(block_interval_ms: int) -> Parameters:
    """Parameters of a chain with a block every so often: twelve views a slot, and a timeout and drift that fit."""
    timeout_ms = max(1_000, min(5_000, 2 * block_interval_ms))
    return Parameters(
        block_interval_ms=block_interval_ms,
        slot_duration_ms=12 * block_interval_ms,
        slot_timeout_ms=timeout_ms,
        max_clock_drift_ms=timeout_ms * 2 // 5,
    )


def check_parameters(p: Parameters) -> None:
    """Raises `GenesisError` that names the parameter which is out of its bounds (protocol section 3)."""
    bounds = (
        ("block_interval_ms", 1_000, 60_000),
        ("slot_timeout_ms", 1_000, 10_000),
        ("cooldown_slots", 8, 64),
        ("leader_window_days", 3, 14),
        ("epoch_slots", 1, MAX_SLOTS),
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
    )
    for key, low, high in bounds:
        if not low <= getattr(p, key) <= high:
            raise GenesisError(f"parameters.{key} must be within {low}..{high}, is {getattr(p, key)}")
    # A view is a tick, and a slot a whole number of them: where a slot ends must not fall within a view (section 4).
    if p.slot_duration_ms < p.block_interval_ms or p.slot_duration_ms % p.block_interval_ms:
        raise GenesisError("parameters.slot_duration_ms must be a multiple of block_interval_ms")
    # Two honest clocks may be two drifts apart: with a shorter timeout one could give a view up before another enters
    # it.
    if p.slot_timeout_ms <= 2 * p.max_clock_drift_ms:
        raise GenesisError("parameters.slot_timeout_ms must exceed twice max_clock_drift_ms")
    # Heartbeats count for this slot and the one before, so work is kept of two at least; above, each slot is a row.
    if not 2 <= p.window_slots <= MAX_SLOTS * 12:
        raise GenesisError("parameters.leader_window_days holds fewer than two slots or too many")
