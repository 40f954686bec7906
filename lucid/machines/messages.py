"""What managers say to each other: every wire message and its limit; `docs/protocol.md` lists each with its answer.

`lucid.machines.decodedmessages` is the one way in from bytes.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from lucid.chain.blocks import Block
from lucid.chain.certificates import Certificate
from lucid.chain.closings import EpochClosing
from lucid.chain.codec import Record, encode
from lucid.chain.fields import Natural
from lucid.chain.transactions import Transaction
from lucid.chain.votes import Vote

MAX_MESSAGE_BYTES = 24 << 20
"""Of one message; what is larger is refused undecoded (`1003`, protocol section 8). A page of blocks takes most: 4 MiB,
one block beyond them, of which a genesis may allow 16 MiB, and its certificates."""
MAX_STANDING_VOTES = 8
"""Of a standing (section 8, message 4): more than the votes of one view and the finalize of the one before can be,
which are four."""
MAX_PAGE_BLOCKS = 64
"""Of a page of blocks (section 8, message 7): ten minutes of the chain at 10 s a block."""
MAX_PAGE_BYTES = 4 << 20
"""A page ends with the block that brings it here (section 8, Catching up): one block may have more."""
MAX_PAGE_CERTIFICATES = 256
"""Of a page of certificates (section 8, message 9): with 100 nodes one has 67 signatures of 66 bytes, so a page 1.1
MiB."""
MAX_GOSSIP_TRANSACTIONS = 256
"""Of one message (section 8, message 5): of 64 KiB each at most, 16 MiB, which `MAX_MESSAGE_BYTES` has room for."""


class Proposal(Record, tag=1):
    """A block put forward in the view of `vote`, which its leader signed.

    `notarization` is the block's own certificate when a closing block is proposed again, else None.
    """

    vote: Vote
    block: Block
    notarization: Certificate | None


class VoteMessage(Record, tag=2):
    """One vote, sent by its signer."""

    vote: Vote


class CertificateMessage(Record, tag=3):
    """One certificate, forwarded once by each node that comes to hold it."""

    certificate: Certificate


class Standing(Record, tag=4):
    """Where a node stands: sent while something is outstanding, so that nothing is lost in silence.

    `votes` are its votes of this view and its finalize of the one before; `certificate` opened the view.
    """

    epoch: Natural
    view: Natural
    final_height: Natural
    votes: Annotated[tuple[Vote, ...], Meta(max_length=MAX_STANDING_VOTES)]
    certificate: Certificate | None


class Transactions(Record, tag=5):
    """Transactions offered by the node that endorsed them."""

    transactions: Annotated[tuple[Transaction, ...], Meta(max_length=MAX_GOSSIP_TRANSACTIONS)]


class BlocksRequest(Record, tag=6):
    """Ask for the blocks from `height` on: final ones first, then the notarized chain above them.

    A snapshot is offered instead to a node that is far behind.
    """

    request: Natural
    height: Natural


class Blocks(Record, tag=7):
    """Consecutive blocks of one epoch, and the certificates (finality, notarization) that vouch for the last one."""

    request: Natural
    blocks: Annotated[tuple[Block, ...], Meta(max_length=MAX_PAGE_BLOCKS)]
    certificates: Annotated[tuple[Certificate, ...], Meta(max_length=2)]


class CertificatesRequest(Record, tag=8):
    """Ask for the certificates of the views `first`..`last` of an epoch."""

    epoch: Natural
    first: Natural
    last: Natural


class Certificates(Record, tag=9):
    """A page of certificates."""

    certificates: Annotated[tuple[Certificate, ...], Meta(max_length=MAX_PAGE_CERTIFICATES)]


class SnapshotOffer(Record, tag=10):
    """A snapshot of the ledger after `block`, which `certificate` makes final; `closings` lead there from genesis.

    `branches` are those of the state tree that are opened, from its root on, each before its children; what is left of
    the tree then, in order, are the parts.
    """

    request: Natural
    closings: tuple[EpochClosing, ...]
    block: Block
    certificate: Certificate
    branches: tuple[bytes, ...]


class PartRequest(Record, tag=11):
    """Ask for one part of the snapshot at `height`."""

    request: Natural
    height: Natural
    part: Natural


class Part(Record, tag=12):
    """One part of a snapshot: the (row key, value) pairs of one subtree of the state tree, encoded."""

    request: Natural
    height: Natural
    part: Natural
    rows: bytes


Message = (
    Proposal
    | VoteMessage
    | CertificateMessage
    | Standing
    | Transactions
    | BlocksRequest
    | Blocks
    | CertificatesRequest
    | Certificates
    | SnapshotOffer
    | PartRequest
    | Part
)


MAX_TAG = 63
"""Tags of messages end here (section 12, Messages): below 128 each is one byte of an encoding."""


encode_message = encode
