"""Signed statements about one view: propose, notarize, skip and finalize votes (protocol section 4)."""

from __future__ import annotations

from enum import IntEnum
from functools import lru_cache
from typing import Annotated

from msgspec import Meta

from lucid.chain.codec import Record, encode
from lucid.chain.fields import Key, Natural
from lucid.chain.hashing import vote_digest

# Sizes of section 2's table: a hash of BLAKE3, one that may lack, a signature of Ed25519.
Hash = Annotated[bytes, Meta(min_length=32, max_length=32)]
OptionalHash = Annotated[bytes, Meta(max_length=32)]
Signature = Annotated[bytes, Meta(min_length=64, max_length=64)]


class Kind(IntEnum):
    """What a vote says of its view (section 4, Votes). A leader's `PROPOSE` is one too: two of them are evidence."""

    PROPOSE = 0
    NOTARIZE = 1
    SKIP = 2
    FINALIZE = 3


# Plain ints for the paths that handle every message: an enum member costs a lookup each time.
PROPOSE, NOTARIZE, SKIP, FINALIZE = (int(kind) for kind in Kind)
VoteKind = Annotated[int, Meta(ge=0, le=3)]
"""The members of `Kind` (section 4, Votes and certificates); other numbers are refused as they are decoded."""


class Vote(Record):
    """One validator's statement: `block` is a block hash, empty for a skip; `signer` a node id."""

    epoch: Natural
    view: Natural
    kind: VoteKind
    block: OptionalHash
    signer: Key
    signature: Signature

    @property
    def well_formed(self) -> bool:
        """Whether exactly the votes that name a block do."""
        return self.view > 0 and len(self.block) == (0 if self.kind == SKIP else 32)


@lru_cache(maxsize=4096)
def vote_message(chain_id: bytes, epoch: int, view: int, kind: int, block: bytes) -> bytes:
    """The 32 bytes that a vote signs."""
    return vote_digest(encode((chain_id, epoch, view, kind, block)))


def conflict(first: Vote, second: Vote) -> bool:
    """Whether two votes of one signer and view cannot both come from an honest validator (protocol section 4).

    Two different notarize, two different finalize, two different proposals, or skip and finalize of one view.
    """
    if (first.epoch, first.view, first.signer) != (second.epoch, second.view, second.signer):
        return False
    # A skip names no block, so two of them are the same vote.
    if first.kind == second.kind:
        return first.kind != SKIP and first.block != second.block
    return {first.kind, second.kind} == {SKIP, FINALIZE}
