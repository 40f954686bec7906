"""What a machine is told and what it wants done: the events and effects of every machine.

Effects are ordered: a driver completes a `Store` before it performs what follows it. That rule is the crash safety of
the whole system.
"""

from __future__ import annotations

from enum import IntEnum

from lucid.chain.certificates import Certificate
from lucid.chain.codec import Record
from lucid.chain.errors import Code
from lucid.chain.transactions import Payload, SessionAnchor, Transaction
from lucid.chain.versions import FIRST_RULES
from lucid.chain.votes import Vote
from lucid.machines.messages import Transactions, VoteMessage
from lucid.machines.replicamessages import ChunkHolding, ChunkOffer

# Timers, by name.
VIEW_TIMER = "view"
PROPOSE_TIMER = "propose"
HOLD_TIMER = "hold"
RESEND_TIMER = "resend"
REPAIR_TIMER = "repair"
SYNC_TIMER = "sync"
GAP_TIMER = "gap"
SPREAD_TIMER = "spread"
SUBMIT_TIMER = "submit"
REPLICATE_TIMER = "replicate"


# -- events from the driver --------------------------------------------------------------------------------------


class Started(Record, tag=20):
    """The machine begins, after whatever its store holds."""


class Received(Record, tag=21):
    """Bytes from a peer, named by its node id."""

    peer: bytes
    data: bytes


class TimerFired(Record, tag=22):
    """A timer that was set came due; one that was set again just then may still come, and is set once more."""

    timer: str


class Submitted(Record, tag=23):
    """A client hands a payload to this node's engine; answered with `Respond` under `request`."""

    request: int
    payload: Payload


class AnchorAsked(Record, tag=24):
    """A client hands in a session whose manifest (canonical, with signature) was checked and gave this anchor;
    answered with `Respond` under `request`."""

    request: int
    manifest: bytes
    anchor: SessionAnchor


class AnchorAnswered(Record, tag=25):
    """The engine's answer to `Submit`: None when it took the anchor of this session (id and owner); `UNAVAILABLE` when
    it could not be asked. The driver gives each `Submit` one answer, this or `SessionSettled`."""

    session: bytes
    refusal: Code | None


class BlockSettled(Record, tag=26):
    """A block is final: the one after the last that the machine was told of, or after a gap. Ids of what it holds."""

    height: int
    transactions: tuple[bytes, ...]


class SessionSettled(Record, tag=27):
    """The chain holds this session (id and owner) at a height, by the transaction of this id."""

    session: bytes
    transaction: bytes
    height: int


class PeerJoined(Record, tag=28):
    """A connection to a peer was made, or made anew: what either side sent over the last one may be lost."""

    peer: bytes


# -- from the manager to its engine ------------------------------------------------------------------------------


class ViewContext(Record, tag=30):
    """Facts about the view to be in: after each certificate, and again when the parent to build on changes.

    `parent_view` is the view that notarized `parent` (0 if it opened the epoch). `closing` says that the
    parent ends its epoch and is to be proposed again; `ready` that the highest notarized block is at hand; `skipped`
    that a skip certificate of the view before is held, whatever `entry` is.
    """

    epoch: int
    view: int
    entry: Certificate | None
    parent: bytes
    parent_view: int
    parent_height: int
    parent_tick: int
    beacon: bytes
    leader: bytes
    validators: tuple[bytes, ...]
    closing: bool
    ready: bool
    skipped: bool
    rules: int = FIRST_RULES
    """The version of the rules in force in the epoch."""


class CertificateStored(Record, tag=31):
    """A certificate is durable; `held` says whether the block it names is at hand, valid and durable too."""

    certificate: Certificate
    held: bool
    context: ViewContext


class Verdict(Record, tag=32):
    """The proposal of a view is valid, durable and gated: the engine may vote for it.

    `base_view` is the notarized view it stands on; `fresh` is False for a closing block proposed again.
    """

    epoch: int
    view: int
    block: bytes
    base_view: int
    tick: int
    fresh: bool


class BlockBuilt(Record, tag=33):
    """The answer to `Build`: the header to sign, and the candidates that were refused."""

    view: int
    parent: bytes
    hash: bytes
    rejected: tuple[tuple[bytes, Code], ...]


class Finalized(Record, tag=34):
    """Blocks became final up to `height`; `transactions` are the ids they hold."""

    epoch: int
    view: int
    height: int
    transactions: tuple[bytes, ...]


class Halt(Record, tag=35):
    """The chain goes on from `height` under rules that this release does not know: sign nothing any more."""

    height: int
    rules: int


# -- from the engine to its manager ------------------------------------------------------------------------------


class Assembled(Record, tag=40):
    """A quorum of verified votes, joined."""

    certificate: Certificate


class Build(Record, tag=41):
    """Execute a block for signing."""

    view: int
    parent: bytes
    tick: int
    vrf_proof: bytes
    late_votes: tuple[Vote, ...]
    candidates: tuple[Transaction, ...]


class Publish(Record, tag=42):
    """Send out the block that was built (or, for a closing block, held): signed and in the vote log.

    `patience_ms` is the current timeout: part of it may pass before those whose votes do not come are sent it again.
    """

    vote: Vote
    signature: bytes
    patience_ms: int


class BroadcastVote(Record, tag=43):
    """Send out a vote that is in the vote log."""

    vote: Vote


class Retransmit(Record, tag=44):
    """Say again where this node stands."""

    epoch: int
    view: int
    votes: tuple[Vote, ...]


class Offer(Record, tag=45):
    """Send out transactions endorsed here."""

    transactions: tuple[Transaction, ...]


class EngineJoined(Record, tag=46):
    """From the driver: the node's engine has started anew, while its manager went on."""


# -- to the machine of replication ---------------------------------------------------------------------------------


class FetchOutcome(IntEnum):
    """What the bytes of a chunk that came from another node turned out to be."""

    KEPT = 0
    """They are the chunk's, and durable where they are stored."""
    FALSE = 1
    """They are not the chunk's."""
    FAILED = 2
    """They cannot be stored here."""


class MembersKnown(Record, tag=70):
    """Who there is, every few seconds: registered nodes in order of their keys, those of them in reach, and how many
    copies of each chunk the chain wants."""

    members: tuple[bytes, ...]
    connected: tuple[bytes, ...]
    factor: int


class ChunkStored(Record, tag=71):
    """A chunk is verified and durable here."""

    chunk: bytes


class ReplicaSaid(Record, tag=72):
    """What a peer's data chain said of chunks."""

    peer: bytes
    message: ChunkOffer | ChunkHolding


class PartCame(Record, tag=73):
    """A peer's answer to a `ChunkRequest`: `length` bytes, from `segment` on, of a chunk of `size` bytes (0: it is not
    held). `data` is for the driver alone: a machine passes it on with `TakePart`."""

    peer: bytes
    request: int
    chunk: bytes
    size: int
    segment: int
    length: int
    data: bytes


class CopiesWished(Record, tag=74):
    """A peer needs these chunks, and they are not here."""

    peer: bytes
    chunks: tuple[bytes, ...]


class ChunkWanted(Record, tag=75):
    """Somebody at this node waits for a chunk that others may have; answered with `Provided` under `request`. `first`
    are asked before all others; `keep`: it is stored here too."""

    request: int
    chunk: bytes
    first: tuple[bytes, ...]
    keep: bool


class FetchEnded(Record, tag=76):
    """The driver's answer to `EndFetch`, or that a fetch cannot go on."""

    fetch: int
    outcome: FetchOutcome


class Undelivered(Record, tag=77):
    """What was sent to a peer last did not leave."""

    peer: bytes


ToEngine = ViewContext | CertificateStored | Verdict | BlockBuilt | Finalized | Halt | VoteMessage | Transactions
"""What a manager tells its engine, and nothing else does."""
ToManager = Assembled | Build | Publish | BroadcastVote | Retransmit | Offer
"""What an engine tells its manager, and nothing else does."""
AnchoringEvent = Started | TimerFired | AnchorAsked | AnchorAnswered | BlockSettled | SessionSettled
ManagerEvent = Started | Received | TimerFired | PeerJoined | EngineJoined | ToManager
EngineEvent = Started | TimerFired | Submitted | ToEngine
ReplicationEvent = (
    Started
    | TimerFired
    | MembersKnown
    | ChunkStored
    | ReplicaSaid
    | PartCame
    | CopiesWished
    | ChunkWanted
    | FetchEnded
    | Undelivered
)


# -- effects -----------------------------------------------------------------------------------------------------


class Send(Record, tag=50):
    """Send bytes to one peer."""

    peer: bytes
    data: bytes


class Broadcast(Record, tag=51):
    """Send bytes to every peer."""

    data: bytes


class Store(Record, tag=52):
    """Make (table, key, value) writes durable as one; None deletes."""

    writes: tuple[tuple[str, bytes, bytes | None], ...]


class SetTimer(Record, tag=53):
    """Fire `timer` at `at_ms` of the machine's clock; setting it again replaces it."""

    timer: str
    at_ms: int


class CancelTimer(Record, tag=54):
    """Forget a timer, set or not."""

    timer: str


class Forward(Record, tag=55):
    """Hand an event to the node's other machine."""

    event: ToEngine | ToManager


class Respond(Record, tag=56):
    """Answer a client: the transaction's id, or the code it was refused with."""

    request: int
    transaction: bytes
    refusal: Code | None


class Submit(Record, tag=58):
    """Hand an anchor to the node's engine. `again` says that it was before: it may be on the chain already."""

    anchor: SessionAnchor
    again: bool


class BeginFetch(Record, tag=80):
    """Make room for a chunk whose bytes come from another node, under a number: to be stored with `keep`, else for who
    reads it."""

    fetch: int
    chunk: bytes
    keep: bool


class TakePart(Record, tag=81):
    """The next bytes of a fetch."""

    fetch: int
    data: bytes


class EndFetch(Record, tag=82):
    """All bytes of a fetch are there: verify them, make them durable, and say so with `FetchEnded`. Not `whole`: throw
    away what came."""

    fetch: int
    whole: bool


class Provided(Record, tag=83):
    """Answer who waits for a chunk: whether it is there, verified."""

    request: int
    held: bool


# -- observations: structured facts for metrics, traces and invariants -------------------------------------------


class Refused(Record, tag=60):
    """Something from outside broke a rule and changed nothing."""

    code: Code


class EnteredView(Record, tag=61):
    """A view began; `skipped` says that a skip certificate opened it."""

    epoch: int
    view: int
    skipped: bool


class TimedOut(Record, tag=62):
    """The view's timer fired before a certificate came."""

    epoch: int
    view: int


class Signed(Record, tag=63):
    """A vote was signed and is in the vote log."""

    vote: Vote


class BlockValid(Record, tag=64):
    """A block was found valid and is durable here."""

    epoch: int
    view: int
    height: int
    hash: bytes


class BlockFinal(Record, tag=65):
    """A block became final here; its full bytes are in the store under its hash."""

    epoch: int
    view: int
    height: int
    hash: bytes


class Proposed(Record, tag=66):
    """This node put a block forward."""

    epoch: int
    view: int
    height: int
    hash: bytes


class CaughtUp(Record, tag=67):
    """Blocks or a snapshot came from a peer up to `height`."""

    height: int
    snapshot: bool


class Evicted(Record, tag=68):
    """A transaction left the mempool unfinished, with the reason."""

    transaction: bytes
    code: Code


class Halted(Record, tag=69):
    """This node takes no part any more: from `height` on the chain has rules that its release does not know."""

    height: int
    rules: int


Fact = Refused | EnteredView | TimedOut | Signed | BlockValid | BlockFinal | Proposed | CaughtUp | Evicted | Halted


class Observe(Record, tag=57):
    """A fact, for whoever watches; performing it may never change what the machine does."""

    fact: Fact


REPLICATING = (BeginFetch, TakePart, EndFetch, Provided)
"""Effects of the machine of replication that no other machine has."""
Effect = (
    Send
    | Broadcast
    | Store
    | SetTimer
    | CancelTimer
    | Forward
    | Respond
    | Submit
    | BeginFetch
    | TakePart
    | EndFetch
    | Provided
    | Observe
)
Effects = list[Effect]
