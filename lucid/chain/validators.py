"""The validator set of one epoch: an ordered set of node ids, and its quorum (protocol section 4)."""

from __future__ import annotations

from lucid.chain.codec import encode
from lucid.chain.hashing import validators_digest


class ValidatorSet:
    """Node ids in ascending order; a validator's index is its place. Immutable."""

    __slots__ = ("hash", "index", "keys", "quorum")

    def __init__(self, keys: tuple[bytes, ...]) -> None:
        # By key, whoever lists them: an index, and so a bitmap of signers, means the same to everybody (section 4).
        self.keys = tuple(sorted(keys))
        assert self.keys and len(set(self.keys)) == len(self.keys), "a validator set names each node once"
        self.index = {key: place for place, key in enumerate(self.keys)}
        # More than two thirds: any two quorums share more than a third, so an honest one among them (section 4).
        self.quorum = 2 * len(self.keys) // 3 + 1
        self.hash = validators_digest(encode(self.keys))

    def __len__(self) -> int:
        return len(self.keys)
