"""The pool of proposals: what leaders put forward in this epoch, what of it waits, and the newest verdict."""

from __future__ import annotations

from typing import NamedTuple

from lucid.machines.effects import Verdict
from lucid.machines.forktree import ForkNode
from lucid.machines.messages import CertificatesRequest, Proposal

ProposalKey = tuple[int, bytes]
"""(view, signer): a validator puts forward one block in a view, and a second one is evidence (section 4)."""


class WaitingProposal(NamedTuple):
    """A proposal that lacks its parent or certificates, and the peer that sent it."""

    peer: bytes
    message: Proposal


class ProposalPool:
    """Everything that is told apart by a view of this epoch. It decides nothing: `proposals` and `book` do.

    `judged` has the block that is looked at for each key; `accused` and `relayed` are the keys whose second proposal
    was told of, and whose proposal was passed on. `asked` has what each peer may still answer.
    """

    def __init__(self, max_waiting: int) -> None:
        self._max_waiting = max_waiting
        self.judged: dict[ProposalKey, bytes] = {}
        self.waiting: dict[ProposalKey, WaitingProposal] = {}
        self.accused: set[ProposalKey] = set()
        self.relayed: set[ProposalKey] = set()
        self.asked: dict[bytes, CertificatesRequest] = {}
        self.verdict: Verdict | None = None

    def wait(self, peer: bytes, message: Proposal) -> None:
        """Keep a proposal that a validator signed; the first one of each key, and of too many the nearest views."""
        # The first one of a view and signer: the second is evidence, and must not drive out what waits (section 4).
        self.waiting.setdefault((message.vote.view, message.vote.signer), WaitingProposal(peer, message))
        if len(self.waiting) > self._max_waiting:
            # The furthest view (section 4): all others are decided before it, and a block that is certified is asked
            # for.
            del self.waiting[max(self.waiting)]

    def forget_final(self, node: ForkNode) -> None:
        """A block is final: nothing is decided in its view or before any more."""
        for key in [key for key in self.judged if key[0] <= node.view or node.closing]:
            del self.judged[key]
            self.accused.discard(key)
            self.relayed.discard(key)

    def clear(self) -> None:
        """Another epoch counts its views anew. The verdict names its epoch, and stays."""
        self.judged.clear()
        self.waiting.clear()
        self.accused.clear()
        self.relayed.clear()
        self.asked.clear()
