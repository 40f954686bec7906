"""What a network did, measured from its managers' journals: the same of real nodes and of simulated ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from msgspec import Struct

from harness.timeline.journals import Happened, happenings
from lucid.machines.effects import BlockFinal, Broadcast, Proposed, Send
from sim.samples import Spread, spread


class MeterError(Exception):
    """Journals hold too little to measure; one sentence."""


class MeterReading(Struct, frozen=True, kw_only=True):
    """Finality over all nodes and blocks, and what was sent for each block: messages by receiver, bytes of payload.

    Times are those at which a manager took an event in hand, by its clock in whole ms.
    """

    blocks: int
    finality_ms: Spread
    messages_per_block: float
    bytes_per_block: float


def measured(journals: Sequence[Path], above: int) -> MeterReading:
    """Measure the blocks above a height, but the last; raises `JournalError` and `MeterError`."""
    happened, nodes = happenings(journals)
    return of_happened(happened, nodes, above)


def of_happened(happened: Iterable[Happened], nodes: int, above: int) -> MeterReading:
    """Measure what happened, in order of time, in a network of so many nodes.

    The stretch begins with the proposal of the first block above the height, and ends with that of the last final one:
    so many blocks cost what was sent between.
    """
    in_order = sorted(happened, key=lambda each: each[0])
    proposed: dict[bytes, int] = {}
    final: dict[bytes, list[int]] = {}
    heights: dict[int, bytes] = {}
    for now, _, what in in_order:
        if type(what) is Proposed:
            proposed.setdefault(what.hash, now)
        elif type(what) is BlockFinal and what.height > above:
            heights[what.height] = what.hash
            final.setdefault(what.hash, []).append(now)
    chain = [heights[height] for height in sorted(heights) if heights[height] in proposed]
    if len(chain) < 2:
        raise MeterError(f"there are {len(chain)} final blocks above height {above}: too few to measure")
    begin, end = proposed[chain[0]], proposed[chain[-1]]
    messages = payload = 0
    for now, _, what in in_order:
        if begin <= now < end and isinstance(what, Send | Broadcast):
            copies = nodes - 1 if type(what) is Broadcast else 1
            messages += copies
            payload += copies * len(what.data)
    counted = chain[:-1]
    return MeterReading(
        blocks=len(counted),
        finality_ms=spread([1_000 * (at - proposed[hash_]) for hash_ in counted for at in final[hash_]]),
        messages_per_block=round(messages / len(counted), 2),
        bytes_per_block=round(payload / len(counted), 1),
    )
