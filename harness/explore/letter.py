"""A letter of an exploration: one message that was sent, by a number, so that an integer is a set of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from lucid.chain.votes import FINALIZE, NOTARIZE, SKIP, Vote
from lucid.machines.messages import CertificateMessage, Message, VoteMessage

Subject = tuple[int, int, bytes]
"""(view, kind, block) of votes and certificates."""


class Letter(NamedTuple):
    """A message by its sender's place, its receiver's (None: everybody), and what it says."""

    sender: int
    receiver: int | None
    data: bytes
    message: Message

    @property
    def subject(self) -> Subject | None:
        """What a vote or a certificate is about; None of anything else."""
        match self.message:
            case VoteMessage(each) | CertificateMessage(each):
                return (each.view, each.kind, each.block)
        return None


def members(letters: int) -> Iterator[int]:
    """The numbers in a set."""
    while letters:
        low = letters & -letters
        yield low.bit_length() - 1
        letters ^= low


def vote_in_words(vote: Vote) -> str:
    """A vote in a few words."""
    kind = {NOTARIZE: "notarize", SKIP: "skip", FINALIZE: "finalize"}.get(vote.kind, "propose")
    return f"{kind} of view {vote.view}" + (f" for {vote.block.hex()[:8]}" if vote.block else "")
