"""The genesis document: who starts the chain, under which parameters (protocol section 3)."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated

from msgspec import Meta, field

from lucid.chain.codec import HashedRecord, Record, decode, encode
from lucid.chain.errors import GenesisError, Refusal
from lucid.chain.hashing import genesis_digest

CHAIN_NAME = "lucid_blocks"
KEY_BYTES = 32
NAME_BYTES = 64
DAY_MS = 86_400_000
MAX_SLOTS = 100_000
"""Slots of an epoch, and a twelfth of a window of work (protocol section 3)."""
_ARRAY = 0x90
"""What a short array of MessagePack begins with, and its length."""

Key = Annotated[bytes, Meta(min_length=KEY_BYTES, max_length=KEY_BYTES)]
MAX_NATURAL = 2**53
Natural = Annotated[int, Meta(ge=0, le=MAX_NATURAL)]


class Parameters(Record):
    """Rules that every node of one chain shares; all times in milliseconds, all ratios in parts per million."""

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


class GenesisNode(Record):
    """A validator of the first epoch: `key` is its Ed25519 public key and node id; `pool` is empty for none."""

    key: Key
    name: str
    pool: str = ""


class Activation(Record):
    """A version of the rules, and the height from which on it holds (`lucid.chain.versions`)."""

    version: Natural
    height: Natural = 0


class Genesis(HashedRecord):
    """The document whose hash is the chain id."""

    genesis_time_ms: Natural
    nodes: tuple[GenesisNode, ...]
    administrators: tuple[Key, ...] = ()
    threshold: Natural = 0
    parameters: Parameters = field(default_factory=Parameters)
    chain: str = CHAIN_NAME

    @property
    def rules(self) -> Activation | None:
        """The rules that the document names, if it is one that does."""
        return None

    @cached_property
    def chain_id(self) -> bytes:
        """The 32-byte hash that names this chain in everything signed."""
        return genesis_digest(encode(self))

    def tick_ms(self, tick: int) -> int:
        """Wall time at which a tick begins, in milliseconds since the Unix epoch."""
        return self.genesis_time_ms + tick * self.parameters.block_interval_ms

    def tick_at(self, now_ms: int) -> int:
        """The tick that holds `now_ms`, 0 before genesis."""
        return max(0, (now_ms - self.genesis_time_ms) // self.parameters.block_interval_ms)

    def check(self) -> Genesis:
        """Return self when every bound holds, else raise `GenesisError` naming the key."""
        _check_parameters(self.parameters)
        keys = [node.key for node in self.nodes]
        rules = (
            ("chain", self.chain == CHAIN_NAME, f"must be {CHAIN_NAME}"),
            ("nodes", bool(keys), "must name at least one node"),
            ("nodes", len(set(keys)) == len(keys), "names a key twice"),
            ("nodes", all(0 < len(n.name.encode()) <= NAME_BYTES for n in self.nodes), "has a bad name length"),
            ("nodes", all(len(n.pool.encode()) <= NAME_BYTES for n in self.nodes), "has a bad pool length"),
            ("administrators", len(set(self.administrators)) == len(self.administrators), "names a key twice"),
            ("threshold", self.threshold <= len(self.administrators), "exceeds the number of administrators"),
            ("threshold", not self.administrators or self.threshold > 0, "must be at least 1"),
            ("rules", self.rules is None or self.rules.version > 1, "must name a version above 1"),
        )
        for key, holds, wish in rules:
            if not holds:
                raise GenesisError(f"{key} {wish}")
        return self


class GenesisOfRules(Genesis):
    """A document that names rules above version 1. A kind of its own, because no other has the field: the chain ids of
    documents without it stay."""

    rules: Activation = Activation(2)


def decode_genesis(data: bytes) -> Genesis:
    """Decode and check a genesis document; raises `GenesisError` for whatever is wrong with it."""
    try:
        return read_genesis_record(data).check()
    except Refusal as refusal:
        raise GenesisError(refusal.detail or refusal.code.sentence) from None


def read_genesis_record(data: bytes) -> Genesis:
    """Decode canonical bytes of a document, unchecked; raises `Refusal` as `decode` does."""
    fields = len(Genesis.__struct_fields__)
    return decode(data, GenesisOfRules if data[:1] == bytes([_ARRAY | fields + 1]) else Genesis)


def _check_parameters(p: Parameters) -> None:
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
    if p.slot_duration_ms < p.block_interval_ms or p.slot_duration_ms % p.block_interval_ms:
        raise GenesisError("parameters.slot_duration_ms must be a multiple of block_interval_ms")
    if p.slot_timeout_ms <= 2 * p.max_clock_drift_ms:
        raise GenesisError("parameters.slot_timeout_ms must exceed twice max_clock_drift_ms")
    if not 2 <= p.window_slots <= MAX_SLOTS * 12:
        raise GenesisError("parameters.leader_window_days holds fewer than two slots or too many")
