"""Work credits: who did what in which slot, the window's totals, and each entity's live score (protocol section 5).

Members are numbered in the order of their registration; every tuple here is indexed by that number. A further kind of
proof adds to `SlotWork.credits` and `Tally.credits` and needs nothing else.
"""

from __future__ import annotations

from lucid.chain.codec import Record

PPM = 1_000_000
"""A whole, in parts per million: shares are whole numbers, as floats are not the same on all machines (section 2)."""
# Section 5's table, storage availability: 10 a GiB and 2 a chunk.
GIB = 1 << 30
CREDITS_A_GIB = 10
CREDITS_A_CHUNK = 2
"""What a GiB and a chunk earn in an epoch in which they are proven to be stored (section 5, storage availability)."""


class SlotWork(Record):
    """What was proven of one slot: credits and heartbeats (0 or 1) by member."""

    credits: tuple[int, ...]
    beacons: tuple[int, ...]


class Tally(Record):
    """Totals over the window, and standing in this epoch, by member.

    `held` counts the slots that hold a block since the member registered; `penalty_ppm` starts each epoch at
    1 000 000; a member is under evidence while the epoch is below `evidence_until`.
    """

    credits: tuple[int, ...]
    beacons: tuple[int, ...]
    held: tuple[int, ...]
    penalty_ppm: tuple[int, ...]
    evidence_until: tuple[int, ...]


def empty_tally(size: int) -> Tally:
    """The tally of `size` members before any work."""
    zeros = (0,) * size
    return Tally(zeros, zeros, zeros, (PPM,) * size, zeros)


def storage_credits(chunks: int, total_bytes: int, most: int) -> int:
    """What an epoch's storage proofs are worth, all together; rounded down once, and never more than `most`."""
    return min(most, total_bytes * CREDITS_A_GIB // GIB + chunks * CREDITS_A_CHUNK)


def uptime_ppm(beacons: int, held: int) -> int:
    """Heartbeats counted per slot that held a block; 0 of 0 is 0: who was never there has yet to show it."""
    return min(PPM, beacons * PPM // held) if held else 0


def penalized(penalty_ppm: int, factor_ppm: int, times: int) -> int:
    """A penalty factor after so many missed views, each of them floored; it soon stays where it is."""
    # Floored view after view, as the text has it (section 4): another order of rounding is another state root.
    while times and (less := penalty_ppm * factor_ppm // PPM) != penalty_ppm:
        penalty_ppm, times = less, times - 1
    return penalty_ppm


def live_score(credits: int, uptime: int, penalty_ppm: int) -> int:
    """Credits weighed by uptime, then by the epoch's penalties; both steps are floored, in this order, since whole
    numbers do not commute and every node must get the same."""
    return credits * uptime // PPM * penalty_ppm // PPM


def standing_of(tally: Tally, number: int) -> tuple[int, int]:
    """A member's uptime, in parts per million, and its live score."""
    uptime = uptime_ppm(tally.beacons[number], tally.held[number])
    return uptime, live_score(tally.credits[number], uptime, tally.penalty_ppm[number])


def opened_tally(tally: Tally) -> Tally:
    """The tally at the opening of an epoch: penalties are forgotten."""
    # Evidence stays: it runs by epochs (section 4, Evidence).
    return Tally(tally.credits, tally.beacons, tally.held, (PPM,) * len(tally.penalty_ppm), tally.evidence_until)
