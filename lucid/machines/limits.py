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
    """Blocks of a page that is served (section 8, Catching up)."""
    page_bytes: int = MAX_PAGE_BYTES
    """A page of blocks ends with the block that brings it here."""
    page_certificates: int = MAX_PAGE_CERTIFICATES
    """Views that are looked at for one request for certificates (section 8, message 8)."""
    near_blocks: int = 2
    """A peer this little ahead is no reason to ask: its blocks are on their way (section 4, Nothing is lost in
    silence). In the good case it is ahead by one or two for as long as certificates travel."""
    answer_ms: int = 10_000
    """How long a peer may take to answer before another one is asked (section 8). Chosen: a page of 4 MiB takes so long
    at 3.4 Mbit/s. At half, a node behind a slow uplink is given up while it sends; at double, each silent peer holds a
    node back for 20 s."""
    repair_delay_ms: int = 250
    """How long a certified block may still be on its way before it is asked for (section 8). Chosen: a large one takes
    two hops. At half, many that are on their way come twice; at double, who lacks one may be late to vote on it."""
    gap_ms: int = 1_000
    """How long one peer has to send the skip certificates that a proposal lacks before the next one is asked (section
    4, Proposals). Chosen: a view of 5 s has five of these. At half, a peer that takes more than half a second is passed
    over; at double, two liars use up a view."""
    repair_patience_ms: int = 2_000
    """How long a repair waits for pages that are on their way here anyway (section 8). Chosen: at half, most repairs
    ask for what is coming; at double, a peer that sends pages slowly keeps a block back for most of a view."""
    slow_ms: int = 1_000
    """A peer that took longer for its last answer gives way to one that was not tried yet, or is twice as fast (section
    8). Chosen. At half, more honest peers give way, which costs a change of peers; at double, a liar that drips costs
    twice as much."""
    requests_a_second: int = 32
    """Pages, of blocks or certificates, and parts that one peer is served in a second of this node's clock (section 8):
    twice what an honest node asks, since a second of its clock may touch two of this one's."""
    snapshot_blocks: int = 2_160
    """Final blocks from one snapshot to the next: a fourth of an epoch (8 640 views), so a late joiner replays six
    hours at most (section 8, Snapshots)."""
    snapshot_gap: int = 4 * MAX_PAGE_BLOCKS
    """Who is further behind than this, 256 blocks, is offered a snapshot rather than blocks, if there is one (section
    8, Snapshots)."""
    part_bytes: int = 1 << 20
    """A subtree of more bytes is opened, so that each of its children is a part, or opened in turn (section 8,
    Snapshots). A message has room for twice this, as one row may be larger."""
    max_uncertified: int = 256
    """Blocks kept that nobody has certified yet; beyond it that of the lowest view goes, and comes back if need be
    (section 4, Bounds). Chosen: only a view's leader gets one in. At half, a long row of views without votes may drop
    what is certified next, which costs a question; at double, leaders that lie have twice as many kept."""
    full_unfinal: int = 1_024
    """Blocks above the last final one from which on a leader puts no transactions into its own: all stay in memory
    (section 4, Bounds). Chosen: three hours without finality at 10 s a block. At half, clients wait after half of that;
    at double, full blocks of one MiB may take 2 GiB."""
    forgeries_a_minute: int = 16
    """Signatures and certificates that do not hold, after which a peer is not heard for the rest of the minute (section
    8). Chosen: an honest one sends none. At half, nothing breaks; at double, a liar costs twice the signatures, and a
    certificate costs up to q of them."""
    standings_a_second: int = 4
    """Standings of one peer that are answered in a second: an answer takes up to a hundred times the bytes (section 4,
    Nothing is lost in silence). An honest one sends one in each base timeout, of a second at least."""
    max_waiting: int = 64
    """Proposals kept that wait for a parent or for certificates; beyond it the farthest view goes (section 4,
    Proposals). Chosen: of one MiB each at most. At half, more certified blocks have to be asked for after a split; at
    double, liars hold 128 MiB."""
    views_ahead: int = 64
    """Views beyond the current one whose votes are counted; a node further behind learns from certificates (section 4,
    Nothing is lost in silence). Chosen: five minutes of skips at 5 s. At half, who was away for three has to wait for
    certificates; at double, liars fill twice as many polls."""
    late_votes: int = 512
    """Late votes handed to a block's builder (section 5): of 154 bytes each, 77 KiB of a block."""
    push_bytes: int = 65_536
    """Proposals up to this size go straight to every peer; beyond it a leader's uplink would be the bottleneck (section
    4, Proposals): with 30 peers 2 MiB, which takes 1.6 s at 10 Mbit/s."""
    mempool_transactions: int = 20_000
    """Transactions that wait at most (section 6, Mempool and building): twenty full blocks, of 1 000 each."""
    mempool_bytes: int = 64 << 20
    """What they have at most, encoded (section 6, Mempool and building): 64 full blocks of one MiB. A container of the
    engine has 256 MiB."""
    reoffer_blocks: int = 4
    """Final blocks after which an own transaction that is still waiting is offered again (section 6, Mempool and
    building). Chosen: in the good case it is final within two. At half, what is on its way is sent twice; at double,
    what a lost connection took waits for another 40 s."""
    rejections: int = 3
    """Refusals by this node's builder after which a transaction goes: one may rest on a block that is never final
    (section 6, Mempool and building, and section 11)."""


DEFAULT_LIMITS = Limits()
