"""How fast a node replicates, and how long it waits for others."""

from __future__ import annotations

from lucid.chain.codec import Record


class Pacing(Record, kw_only=True):
    """Times in milliseconds."""

    gather_ms: int = 200
    """How long what was stored waits for others, to be offered together."""
    soon_ms: int = 20_000
    """How often everything is looked through while something lacks copies."""
    look_ms: int = 600_000
    """How often it is when nothing has changed."""
    recheck_ms: int = 24 * 3_600_000
    """A copy that was not spoken of for so long is offered again, to learn whether it is still there."""
    answer_ms: int = 10_000
    """How long a peer may take to answer."""
    again_ms: int = 500
    """How soon a peer is asked again that could not be reached."""
    repair_ms: int = 15_000
    """How often what is missing or corrupted here is fetched."""
    bytes_per_s: int = 2 << 20
    """How much of a chunk is asked for in a second, of each that is fetched."""
