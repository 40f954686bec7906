"""A node's own limits: what it keeps, asks for and serves at most (the figures marked ° in the protocol)."""

from __future__ import annotations

from lucid.chain.codec import Record
from lucid.machines.messages import MAX_PAGE_BLOCKS, MAX_PAGE_BYTES, MAX_PAGE_CERTIFICATES


class Limits(Record, kw_only=True):
    """Limits that a node may choose; nodes with different ones still work together.

    Small values bring a network to its edges in seconds. What a peer may send is bounded by the message limits of
    `messages`, which bind every node: pages may be made smaller here, not larger.
    """

    page_blocks: int = MAX_PAGE_BLOCKS
    """Blocks of a page that is served."""
    page_bytes: int = MAX_PAGE_BYTES
    """A page of blocks ends with the block that brings it here."""
    page_certificates: int = MAX_PAGE_CERTIFICATES
    """Views that are looked at for one request for certificates."""
    near_blocks: int = 2
    """A peer this little ahead is no reason to ask: its blocks are on their way."""
    answer_ms: int = 10_000
    """How long a peer may take to answer before another one is asked."""
    repair_delay_ms: int = 250
    """How long a certified block may still be on its way before it is asked for."""
    gap_ms: int = 1_000
    """How long one peer has to send the skip certificates that a proposal lacks before the next one is asked."""
    repair_patience_ms: int = 2_000
    """How long a repair waits for pages that are on their way here anyway."""
    slow_ms: int = 1_000
    """A peer that took longer for its last answer gives way to one that was not tried yet, or is twice as fast."""
    requests_a_second: int = 32
    """Pages and parts that one peer is served in a second of this node's clock."""
    snapshot_blocks: int = 2_160
    """Final blocks from one snapshot to the next: a fourth of an epoch, so a late joiner replays six hours at most."""
    snapshot_gap: int = 4 * MAX_PAGE_BLOCKS
    """Who is further behind than this is offered a snapshot rather than blocks, if there is one."""
    part_bytes: int = 1 << 20
    """A subtree of more bytes is opened, so that each of its children is a part, or opened in turn."""
    max_uncertified: int = 256
    """Blocks kept that nobody has certified yet; beyond it that of the lowest view goes, and comes back if need be."""
    full_unfinal: int = 1_024
    """Blocks above the last final one from which on a leader puts no transactions into its own: all stay in memory."""
    forgeries_a_minute: int = 16
    """Signatures and certificates that do not hold, after which a peer is not heard for the rest of the minute."""
    standings_a_second: int = 4
    """Standings of one peer that are answered in a second: an answer takes up to a hundred times the bytes."""
    max_waiting: int = 64
    """Proposals kept that wait for a parent or for certificates; beyond it the farthest view goes."""
    views_ahead: int = 64
    """Views beyond the current one whose votes are counted; a node further behind learns from certificates."""
    late_votes: int = 512
    """Late votes handed to a block's builder."""
    push_bytes: int = 65_536
    """Proposals up to this size go straight to every peer; beyond it a leader's uplink would be the bottleneck."""
    mempool_transactions: int = 20_000
    mempool_bytes: int = 64 << 20
    reoffer_blocks: int = 4
    """Final blocks after which an own transaction that is still waiting is offered again."""
    rejections: int = 3
    """Refusals by this node's builder after which a transaction goes: one may rest on a block that is never final."""


DEFAULT_LIMITS = Limits()
