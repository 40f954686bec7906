"""What a manager and its engine tell each other; between services, over one connection."""

from __future__ import annotations

from lucid.chain.administrators import Administrators
from lucid.chain.certificates import Certificate
from lucid.chain.codec import Record
from lucid.chain.errors import Code
from lucid.chain.transactions import Transaction
from lucid.chain.versions import FIRST_RULES
from lucid.chain.votes import Vote
from lucid.machines.messages import Transactions, VoteMessage

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
    administrators: Administrators | None = None
    """Who decides in the epoch; None: whom the genesis document names."""


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


ToEngine = ViewContext | CertificateStored | Verdict | BlockBuilt | Finalized | Halt | VoteMessage | Transactions
"""What a manager tells its engine, and nothing else does."""
ToManager = Assembled | Build | Publish | BroadcastVote | Retransmit | Offer
"""What an engine tells its manager, and nothing else does."""
