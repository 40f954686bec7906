"""What machines tell whoever watches: structured facts for metrics, traces and invariants."""

from __future__ import annotations

from lucid.chain.codec import Record
from lucid.chain.errors import Code
from lucid.chain.votes import Vote


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
