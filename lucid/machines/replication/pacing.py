"""How fast a node replicates, and how long it waits for others."""

from __future__ import annotations

from lucid.chain.codec import Record


class Pacing(Record, kw_only=True):
    """Times in milliseconds."""

    gather_ms: int = 200
    """How long what was stored waits for others, to be offered together. Chosen: chunks of a session come one after the
    other. At half, up to twice as many messages; at double, copies begin so much later."""
    soon_ms: int = 20_000
    """How often everything is looked through while something lacks copies (section 8, Copies: 20 s)."""
    look_ms: int = 600_000
    """How often it is when nothing has changed (section 8, Copies: ten minutes)."""
    recheck_ms: int = 24 * 3_600_000
    """A copy that was not spoken of for so long is offered again, to learn whether it is still there (section 8,
    Copies: a day)."""
    answer_ms: int = 10_000
    """How long a peer may take to answer, as `Limits.answer_ms` has it: a part of 60 KiB takes so long at 48 kbit/s."""
    again_ms: int = 500
    """How soon a peer is asked again that could not be reached. Chosen: a connection is dialed again after 200 ms at
    first. At half, a question may go before it is there; at double, a chunk waits for a second more."""
    repair_ms: int = 15_000
    """How often what is missing or corrupted here is fetched. Chosen: whoever reads such a chunk has it fetched at
    once, so this is for what nobody reads. At half, rows are read twice as often for nothing; at double, a lost copy is
    back a quarter of a minute later."""
    bytes_per_s: int = 2 << 20
    """How much of a chunk is asked for in a second, of each that is fetched (section 8, Copies: at a bounded rate).
    Chosen: with two pulls 34 Mbit/s, a third of a port of 100 Mbit/s. At half, 100 GiB that a lost node had are back
    after 14 hours and not 7; at double, votes wait behind copies on such a port."""
