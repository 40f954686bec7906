"""What services answer to clients: the same structs in the service that writes them and the client that reads them."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

Key = Annotated[str, Meta(pattern="^[0-9a-f]{64}$", max_length=64)]
"""32 bytes in hexadecimal. The lengths keep a newline out, which `$` would let in at the end."""
Owner = Annotated[str, Meta(pattern="^([0-9a-f]{64})?$", max_length=64)]
Session = Annotated[str, Meta(pattern="^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", max_length=36)]
Place = Annotated[str, Meta(pattern="^[0-9a-f]+$", max_length=96)]
"""Where a page ends."""
Word = Annotated[str, Meta(pattern="^[a-z]+$", max_length=16)]
Count = Annotated[int, Meta(ge=0, le=2**53)]
LAST_MS = 253_402_300_799_999
"""The end of the year 9999, in ms since the Unix epoch: no calendar knows what comes after."""
Time = Annotated[int, Meta(ge=0, le=LAST_MS)]
"""In ms since the Unix epoch."""


class Anchored(msgspec.Struct, frozen=True):
    """The session is durable at the node, and will be on the chain under this transaction's id."""

    session: str
    transaction: str
    status: Word


class SessionState(msgspec.Struct, frozen=True):
    """Where a session is: `pending`, `included` in a block, `final` at a height, or `failed` with a code. Time in ms
    since the Unix epoch; the owner's key in hexadecimal. Of a final one: how many nodes said on the chain that they
    hold each chunk, and how many should; None while the chain's rules have no such thing (before 3), or it cannot be
    told."""

    session: str
    status: Word
    transaction: str | None
    height: int | None = None
    accepted_ms: int | None = None
    code: str | None = None
    message: str | None = None
    owner: str = ""
    copies: Count | None = None
    copies_wanted: Count | None = None

    @property
    def replicated(self) -> bool:
        """Whether the chain knows all the copies that there should be, which are more than one."""
        return self.copies is not None and self.copies >= (self.copies_wanted or 0) > 1


class SessionsWaiting(msgspec.Struct, frozen=True):
    """The sessions that a node took and that are not final: so many, the newest of them, and those that have failed
    since its session anchoring started."""

    waiting: Count
    sessions: tuple[SessionState, ...]


class SessionChunks(msgspec.Struct, frozen=True):
    """A session that refers to chunks at a node; `owner` is empty where nobody said whose it is. `since_ms` is the time
    of its newest reference, 0 where an older version made it."""

    session: Session
    owner: Owner
    chunks: Count
    total_bytes: Count
    since_ms: Time


class Sessions(msgspec.Struct, frozen=True):
    """Sessions in order, and what the next page goes on `after` (None at the end)."""

    sessions: tuple[SessionChunks, ...]
    after: Place | None


class Removed(msgspec.Struct, frozen=True):
    """A session whose references are gone, and how many there were."""

    session: str
    owner: str
    references: Count


class ScrubStatus(msgspec.Struct, frozen=True):
    """Where the scrubber stands: `waiting`, `reading` or `paused`. Times in ms since the Unix epoch, 0: none. Every
    chunk that is older was read after `all_read_since_ms`; counts are since the store began."""

    state: Word
    period_ms: Time
    all_read_since_ms: Time
    late: bool
    run_left_percent: int
    paused_until_ms: Time
    chunks_read: int
    bytes_read: int
    corrupted_found: int
    missing_found: int


class ReplicationStatus(msgspec.Struct, frozen=True):
    """The copies at other nodes. `copies` of a chunk there should be in all; 1: what this node loses is lost; 0: the
    manager has not said yet who there is. `pending` chunks wait to be fetched, `lacking` ones lack a copy, for
    `lacking_s` seconds; counts since the start. The node declares `tickets` (0: its disk is away) and weighs `weight`
    of the `total_weight` of all nodes as chunks are placed (0: not known yet)."""

    copies: int
    nodes: int
    connected: int
    pending: int
    lacking: int
    lacking_s: int
    fetched: int
    repaired: int
    tickets: int = 0
    weight: int = 0
    total_weight: int = 0


class NodeChunks(msgspec.Struct, frozen=True):
    """Of the chunks at a node: how many belong at another one (or at itself), and how many that one said it holds."""

    node: Key
    belong: Count
    held: Count


class ChunkCounts(msgspec.Struct, frozen=True):
    """The chunks of a node by their states, and by nodes, as counted at a time (ms since the Unix epoch). `pending`
    ones are on their way here from other nodes, and not among those that are held."""

    counted_ms: Time
    took_ms: Count
    stored: Count
    verified: Count
    replicated: Count
    missing: Count
    corrupted: Count
    nodes: tuple[NodeChunks, ...]
    pending: Count = 0


class DataStatus(msgspec.Struct, frozen=True):
    """What a node holds, and how it looks after it. `missing` and `corrupted` count chunks, `quarantined` files.
    `counts` are made while someone asks for them (None: not yet). Bytes that chunks may still take: `room_bytes`."""

    chunks: int
    total_bytes: int
    missing: int
    corrupted: int
    quarantined: int
    scrub: ScrubStatus
    replication: ReplicationStatus
    room_bytes: int = 0
    counts: ChunkCounts | None = None


class ChunkState(msgspec.Struct, frozen=True):
    """A chunk at a node: `stored`, `verified` (read again since), `replicated` (at all nodes where it belongs),
    `missing` or `corrupted`."""

    id: Key
    size: Count
    status: Word
    references: Count


class ChunkList(msgspec.Struct, frozen=True):
    """Chunks in order, and what the next page goes on `after` (None at the end)."""

    chunks: tuple[ChunkState, ...]
    after: Place | None


class SessionCopies(msgspec.Struct, frozen=True):
    """The chunks of a session at a node by their states; `stored` and `verified` ones lack copies, `pending` ones
    belong at this node by the session's list and are not here yet. `copies` of each there should be in all (0: the
    manager has not said yet who there is); `on_chain` nodes said on the chain that they hold each (None: its rules have
    no such thing)."""

    session: str
    owner: str
    copies: int
    stored: int
    verified: int
    replicated: int
    missing: int
    corrupted: int
    on_chain: Count | None = None
    pending: Count = 0


class Checked(msgspec.Struct, frozen=True):
    """A chunk that was read just now, and what it is."""

    id: Key
    status: Word


class Pruned(msgspec.Struct, frozen=True):
    """Chunks to which nobody refers: those that are due, which went unless it was only asked, and those that are kept
    for a day from their last reference on. The next of these is due at `next_ms` (since the Unix epoch, 0: none)."""

    due: Count
    due_bytes: Count
    removed: Count
    waiting: Count
    waiting_bytes: Count
    next_ms: Time


class StorageCredits(msgspec.Struct, frozen=True):
    """What a node proved in this epoch that it holds: of how many `sessions` it said so, `chunks` and `total_bytes` of
    its proofs (each counts for the sessions that it stands for), and what they are worth so far in `credits`, of which
    first proofs of copies leave a share to who brought these; and what it was paid itself as such a relay."""

    sessions: Count
    chunks: Count
    total_bytes: Count
    credits: Count
    relayed: Count = 0


class MemberCredits(msgspec.Struct, frozen=True):
    """What a member's work counts for: `live_score` is its `credits` times its uptime times its penalty factor, floored
    after each. Uptime is the slots of the window in which it sent a heartbeat (`beacons`), of those that `held` a block
    since it is a member. The penalty is what its missed views of this epoch leave. From the epoch `evidence_until` on
    no evidence counts against it. `storage` is None before rules 4."""

    node: Key
    name: str
    credits: Count
    uptime_ppm: Count
    live_score: Count
    pool: str = ""
    beacons: Count = 0
    held: Count = 0
    penalty_ppm: Count = 1_000_000
    evidence_until: Count = 0
    retired: bool = False
    storage: StorageCredits | None = None


class Credits(msgspec.Struct, frozen=True):
    """Every member's, in the order of registration, in the last final block of that slot and epoch. A vote on the chain
    is worth `vote_credits`; work counts for `window_slots` slots."""

    members: tuple[MemberCredits, ...]
    epoch: Count = 0
    slot: Annotated[int, Meta(ge=-1, le=2**53)] = -1
    vote_credits: Count = 1
    window_slots: Count = 0


class ScheduledRules(msgspec.Struct, frozen=True):
    """Rules that are scheduled: they hold from the first epoch on that opens at `height` or above, which is not before
    `earliest_ms` (since the Unix epoch; `LAST_MS` stands for all that is later)."""

    version: Count
    height: Count
    blocks_ahead: Count
    earliest_ms: Time


class ValidatorRules(msgspec.Struct, frozen=True):
    """The newest rules that a validator of the next epoch knows, as it said when it connected to this node; None while
    it is not connected."""

    node: Key
    name: str
    known: Count | None
    ready: bool


class Deciders(msgspec.Struct, frozen=True):
    """Any `threshold` of these administrators together decide."""

    keys: tuple[Key, ...]
    threshold: Count


class RulesState(msgspec.Struct, frozen=True):
    """The rules in force for the next block, the newest that this node knows, what is scheduled, and who is ready for
    that (or for the rules in force, if nothing is). Blocks need `quorum` validators that are. The last final block has
    this height; the next decision of the administrators has the number `next_decision`. `administrators` decide in this
    epoch, `next_administrators` from the next one on, where that is decided.
    (None: a node of an older release, which does not say.)"""

    version: Count
    known: Count
    replication_factor: Count
    scheduled: ScheduledRules | None
    validators: tuple[ValidatorRules, ...]
    ready: Count
    quorum: Count
    height: Count
    next_decision: Count | None = None
    administrators: Deciders | None = None
    next_administrators: Deciders | None = None


class ChainMember(msgspec.Struct, frozen=True):
    """A registered node as the chain holds it: its name, and for what share of the slots a heartbeat of it counted."""

    name: str
    retired: bool
    uptime_ppm: Count


class ChainPeer(msgspec.Struct, frozen=True):
    """A node as another one sees it: whether they are connected, and how many blocks it is behind (None: not known)."""

    connected: bool
    behind: int | None = None


class ChainNode(msgspec.Struct, frozen=True):
    """A node: `member` is None where it is not registered, `peer` where it is the one that answers or no peer of
    it."""

    node: Key
    member: ChainMember | None
    peer: ChainPeer | None


class ChainNodes(msgspec.Struct, frozen=True):
    """All nodes; `here` is the one that answers."""

    here: Key
    nodes: tuple[ChainNode, ...]


class Accepted(msgspec.Struct, frozen=True):
    """The transaction is durable here and on its way into a block."""

    id: str


class TransactionState(msgspec.Struct, frozen=True):
    """Where a transaction is: `pending`, `included` in a block of this height, or `final` in it."""

    id: str
    status: str
    height: int | None = None
