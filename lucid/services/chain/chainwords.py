"""What a block manager says of the chain to its node's engine, which passes it on: one shape for both."""

from __future__ import annotations

import msgspec


class ChainInfo(msgspec.Struct, frozen=True):
    """The chain and the last final block. Times in ms since the Unix epoch."""

    chain_id: str
    genesis_time_ms: int
    block_interval_ms: int
    height: int
    hash: str
    epoch: int
    state_root: str
    validators: tuple[str, ...]


class SlotSchedule(msgspec.Struct, frozen=True):
    """Who leads in a slot, best first."""

    epoch: int
    slot: int
    leaders: tuple[str, ...]
