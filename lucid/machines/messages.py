"""What managers say to each other: every wire message, its limit, and the one way in from bytes.

`docs/protocol.md` lists each with its answer. A decoded message is remembered for a while by its bytes, because a
node receives the same bytes from many peers; decoding is pure, so nothing but time can tell.
"""

from __future__ import annotations

from typing import Annotated, get_args

from msgspec import Meta

from lucid.chain.blocks import Block
from lucid.chain.certificates import Certificate
from lucid.chain.closings import EpochClosing
from lucid.chain.codec import Record, decode, encode
from lucid.chain.errors import Code, Refusal
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
REMEMBERED_MESSAGES = 4_096
"""Decoded messages that are kept in the younger half of the memo. Chosen: with 100 nodes a view has some 300 different
ones, two votes and a certificate of each, so a dozen views are in it. At half, six are; at double, little is gained, as
few messages come so late."""
REMEMBERED_BYTES = 65_536
"""A longer message is not kept in the memo. Chosen: the size from which on a proposal goes in two hops
(`Limits.push_bytes`), so it comes once or twice. At half, proposals that all peers repeat are decoded each time; at
double, few messages push out many."""
REMEMBERED_TOTAL_BYTES = 8 << 20
"""Twice this is kept at most: a peer that sends large messages must not fill the memory of a Pi. Chosen: 16 MiB of the
256 MiB that a container has. At half, 128 of the longest are kept and not 256; at double, a flood takes an eighth of
the container."""


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
_ARRAY = 0x9
"""What an array of up to 15 elements begins with in MessagePack: the upper half of its first byte."""
_TAGS = frozenset(int(str(kind.__struct_config__.tag)) for kind in get_args(Message))


class _Memo:
    """Messages decoded lately, by their bytes, in two generations: when the younger is full, the older goes."""

    def __init__(self) -> None:
        self.young: dict[bytes, Message] = {}
        self.old: dict[bytes, Message] = {}
        self._young_bytes = 0

    def keep(self, data: bytes, message: Message) -> None:
        """Remember a message in the younger generation."""
        size = len(data)
        if len(self.young) >= REMEMBERED_MESSAGES or self._young_bytes + size > REMEMBERED_TOTAL_BYTES:
            self.young, self.old, self._young_bytes = {}, self.young, 0
        self.young[data] = message
        self._young_bytes += size


_memo = _Memo()


def decode_message(data: bytes) -> Message:
    """Decode one wire message; raises `Refusal` (`OVERSIZED`, `UNKNOWN_KIND`, `MALFORMED`, `NOT_CANONICAL`)."""
    message = _memo.young.get(data)
    if message is None:
        message = _decode_again(data)
    return message


def _decode_again(data: bytes) -> Message:
    # Before decoding, which takes many times the bytes (section 8).
    if len(data) > MAX_MESSAGE_BYTES:
        raise Refusal(Code.OVERSIZED, f"{len(data)} bytes")
    message = _memo.old.get(data)
    if message is None:
        # Told apart from what is broken: a node of a later release may send it, and is no liar (section 12, Messages).
        if _of_unknown_kind(data):
            raise Refusal(Code.UNKNOWN_KIND)
        message = decode(data, Message)  # type: ignore[arg-type]
    if len(data) <= REMEMBERED_BYTES:
        _memo.keep(data, message)
    assert message is not None
    return message


def _of_unknown_kind(data: bytes) -> bool:
    """Whether it begins as messages do, an array whose first element is a tag, and the tag is none of today's."""
    return len(data) > 1 and data[0] >> 4 == _ARRAY and 0 < data[1] <= MAX_TAG and data[1] not in _TAGS


encode_message = encode
