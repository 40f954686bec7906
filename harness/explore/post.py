"""The post of an exploration: every message that any node ever sent, by number, so that a set of them is one integer.

What was sent stays there, for each receiver to hear at any later moment, once, again or never: every delay, loss and
order is some choice of what is heard when.
"""

from __future__ import annotations

from harness.explore.brokenrule import BrokenRule
from harness.explore.letter import Letter, Subject, members, vote_in_words
from harness.explore.replica import SentMessage
from harness.explore.setting import Setting
from lucid.chain.transactions import Equivocation
from lucid.chain.votes import FINALIZE, Vote, conflict
from lucid.machines.decodedmessages import decode_message
from lucid.machines.messages import CertificateMessage, Message, Proposal, Standing, Transactions, VoteMessage


class Post:
    """Letters by number, and what a set of them amounts to."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.hearing = (None, *setting.honest)
        self.letters: list[Letter] = []
        self.parents: dict[bytes, bytes] = {}
        """The parent of every block that was ever put forward."""
        self.proposed: dict[bytes, Proposal] = {}
        self._numbers: dict[tuple[int, int | None, bytes], int] = {}
        self.votes: dict[Subject, list[int]] = {}
        """Numbers of the votes on each subject."""
        self.by_sender: dict[int, int] = {}
        """The votes of each honest validator, as a set."""

    def put(self, sender: int, sent: SentMessage) -> int:
        """The number of what a node sent as a set of one; 0 if it is of no account within the scope.

        Raises `BrokenRule` if it accuses an honest validator.
        """
        receiver = None if sent.peer is None else self.setting.places[sent.peer]
        message = decode_message(sent.data)
        # Whoever forwards a certificate, it is the same letter: who takes it does not ask who sent it.
        key = (-1 if isinstance(message, CertificateMessage) else sender, receiver, sent.data)
        number = self._numbers.get(key)
        if number is None:
            number = len(self.letters) if self._counts(message) and receiver in self.hearing else -1
            self._numbers[key] = number
            if number >= 0:
                self._keep(number, Letter(sender, receiver, sent.data, message))
        return 1 << number if number >= 0 else 0

    def _counts(self, message: Message) -> bool:
        views = self.setting.scope.views
        match message:
            case Transactions():
                self._check_accused(message)
                return False
            case Standing():
                return False
            case VoteMessage(vote) | Proposal(vote=vote):
                return vote.view <= views
            case CertificateMessage(certificate):
                return certificate.view <= views
        return True

    def _check_accused(self, message: Transactions) -> None:
        for transaction in message.transactions:
            if isinstance(transaction.payload, Equivocation):
                accused = self.setting.places[transaction.payload.first.signer]
                if accused in self.setting.honest:
                    raise BrokenRule("only the guilty are blamed", f"n{accused} is honest, and accused")

    def _keep(self, number: int, letter: Letter) -> None:
        self.letters.append(letter)
        match letter.message:
            case Proposal(block=block):
                self.parents[block.header.hash] = block.header.parent
                self.proposed[block.header.hash] = letter.message
            case VoteMessage():
                subject = letter.subject
                assert subject is not None
                self.votes.setdefault(subject, []).append(number)
                self.by_sender[letter.sender] = self.by_sender.get(letter.sender, 0) | 1 << number

    def voters(self, subject: Subject, sent: int) -> dict[int, int]:
        """Who of those whose votes were sent voted so, with the number of the vote."""
        numbers = self.votes.get(subject, ())
        return {self.letters[number].sender: number for number in numbers if sent >> number & 1}

    def check(self, sent: int) -> None:
        """Raise `BrokenRule` if honest votes conflict, or if two blocks can be final that are not of one chain."""
        for place in self.setting.honest:
            votes: list[Vote] = []
            for number in members(sent & self.by_sender.get(place, 0)):
                vote = self.letters[number].message.vote  # type: ignore[union-attr]
                for other in votes:
                    if conflict(other, vote) or (other.kind, other.view) == (vote.kind, vote.view):
                        raise BrokenRule(
                            "no double vote", f"n{place} signed both {vote_in_words(other)} and {vote_in_words(vote)}"
                        )
                votes.append(vote)
        final = [block for block in self.parents if self._final(block, sent)]
        for place, block in enumerate(final):
            for rival in final[:place]:
                if not (self._descends(block, rival) or self._descends(rival, block)):
                    raise BrokenRule("agreement", f"{block.hex()[:8]} and {rival.hex()[:8]} can both be final")

    def _final(self, block: bytes, sent: int) -> bool:
        vote = self.proposed[block].vote
        voters = self.voters((vote.view, FINALIZE, block), sent)
        honest = sum(place in self.setting.honest for place in voters)
        return honest >= self.setting.quorum - len(self.setting.keys) + len(self.setting.honest)

    def _descends(self, block: bytes, ancestor: bytes) -> bool:
        current: bytes | None = block
        while current is not None and current != ancestor:
            current = self.parents.get(current)
        return current == ancestor
