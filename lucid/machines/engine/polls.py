"""The counting of votes: one poll a view, bounded, that yields certificates, late votes and evidence (section 4)."""

from __future__ import annotations

from lucid.chain.certificates import Certificate, assemble
from lucid.chain.errors import Code, Refusal
from lucid.chain.keys import Crypto
from lucid.chain.transactions import Equivocation
from lucid.chain.validators import ValidatorSet
from lucid.chain.votes import FINALIZE, NOTARIZE, PROPOSE, SKIP, Vote, vote_message

MAX_FORGED = 8
"""Votes of one signer whose signatures do not hold, after which no more are looked at in this view: an honest one sends
none, and each costs a signature. Chosen. At half, nothing breaks; at double, each liar costs eight signatures more in
each view."""


class Ballot:
    """The votes of one kind for one block in one view: how many, and the bytes that each signs."""

    __slots__ = ("certified", "count", "message")

    def __init__(self, message: bytes) -> None:
        self.message = message
        self.count = 0
        self.certified = False


class Poll:
    """The votes of one view, verified: by kind the vote of each validator index, and the ballots by block."""

    __slots__ = ("ballots", "guilty", "votes")

    def __init__(self) -> None:
        self.votes: tuple[dict[int, Vote], ...] = ({}, {}, {}, {})
        self.ballots: tuple[dict[bytes, Ballot], ...] = ({}, {}, {}, {})
        self.guilty: set[int] = set()


class Polls:
    """The votes of an epoch's recent views. Every kept signature has been verified."""

    def __init__(self, chain_id: bytes, crypto: Crypto, views_ahead: int) -> None:
        self._ahead = views_ahead
        self.chain_id = chain_id
        self.crypto = crypto
        self.epoch = 0
        self.validators: ValidatorSet | None = None
        self.evidence: list[Equivocation] = []
        self._polls: dict[int, Poll] = {}
        self._forged: dict[int, int] = {}
        self._first = 1
        self._last = self._ahead

    def open_epoch(self, epoch: int, validators: ValidatorSet) -> None:
        """Forget everything and count for another epoch."""
        self.epoch = epoch
        self.validators = validators
        self._polls = {}
        self._first, self._last = 1, self._ahead

    def keep_views(self, first: int, current: int) -> None:
        """Forget views before `first`; accept votes up to `views_ahead` beyond `current`."""
        # By view, so that nobody goes unheard for good (`MAX_FORGED`).
        self._forged = {}
        while self._first < first:
            self._polls.pop(self._first, None)
            self._first += 1
        self._last = current + self._ahead

    def count(self, vote: Vote) -> Certificate | None:
        """Count a vote; returns the certificate that it completes, if any.

        Raises `Refusal` for what is not a vote of this epoch (`VOTE_EPOCH`, `VOTE_SIGNER`, `VOTE_FAR`,
        `VOTE_SIGNATURE`). Known votes are dropped before any signature is looked at.
        """
        validators = self.validators
        if vote.epoch != self.epoch or validators is None:
            raise Refusal(Code.VOTE_EPOCH)  # another epoch has another set
        poll = self._polls.get(vote.view)
        if poll is None:
            if not self._first <= vote.view <= self._last:
                raise Refusal(Code.VOTE_FAR)  # one vote for each of 2^53 views would fill memory
            poll = self._polls[vote.view] = Poll()
        kind, block = vote.kind, vote.block
        ballot = poll.ballots[kind].get(block)
        if ballot is not None and ballot.certified and kind >= SKIP:
            return None  # each would cost a signature; a notarize still counts, as it may be credited late (section 5)
        index = validators.index.get(vote.signer)
        if index is None:
            raise Refusal(Code.VOTE_SIGNER)  # only validators have a vote (section 4)
        votes = poll.votes[kind]
        known = votes.get(index)
        if known is not None and (known.block == block or index in poll.guilty):
            # There may be evidence against it already: each further vote would cost a signature to no end.
            return None
        message = self._message(vote) if ballot is None else ballot.message
        if self._forged:
            self._hear(index)
        if not self.crypto.verify(vote.signer, message, vote.signature):
            raise self._forgery(kind, index)
        if known is not None:
            self._accuse(poll, index, known, vote)
            return None
        votes[index] = vote
        # A skip and a finalize of one view are evidence. A notarize and a skip are not: its timer may fire after it
        # voted.
        if kind >= SKIP:
            other = poll.votes[FINALIZE if kind == SKIP else SKIP].get(index)
            if other is not None:
                self._accuse(poll, index, other, vote)
        if ballot is None:
            ballot = poll.ballots[kind][block] = Ballot(message)
        ballot.count += 1
        return self._certificate(vote, ballot, validators, votes) if ballot.count == validators.quorum else None

    def _hear(self, index: int) -> None:
        """Raise `VOTE_SIGNATURE` if too many of a signer's votes did not hold."""
        if self._forged.get(index, 0) >= MAX_FORGED:
            raise Refusal(Code.VOTE_SIGNATURE, "too many of this signer's did not hold")

    def _forgery(self, kind: int, index: int) -> Refusal:
        """What is said of a vote that does not hold; it counts against its signer."""
        if kind != PROPOSE:
            # Votes come from their signers, so it has itself to blame; a proposal may come from anyone.
            self._forged[index] = self._forged.get(index, 0) + 1
        return Refusal(Code.VOTE_SIGNATURE)

    def _message(self, vote: Vote) -> bytes:
        # A skip that names a block would open a ballot of its own, whose certificate never holds (section 4, Votes).
        if not vote.well_formed:
            raise Refusal(Code.VOTE_SIGNATURE, "a vote names a block if and only if it is not a skip")
        return vote_message(self.chain_id, vote.epoch, vote.view, vote.kind, vote.block)

    def late_votes(self, certificate: Certificate | None, first: int, last: int, limit: int) -> tuple[Vote, ...]:
        """Up to `limit` notarize votes of the views `first` to `last`, without those that `certificate` carries.

        Views beyond the parent's hold no ancestor: votes in them earn nothing, and take the room of those that do.
        """
        late: list[Vote] = []
        # Newest first, so that votes which were credited long ago do not take the room of later ones.
        for view in sorted((view for view in self._polls if first <= view <= last), reverse=True):
            poll = self._polls[view]
            for index, vote in sorted(poll.votes[NOTARIZE].items(), reverse=True):
                in_parent = (
                    certificate is not None
                    and certificate.view == view
                    and certificate.signers[index >> 3] >> (index & 7) & 1
                )
                if not in_parent and len(late) < limit:
                    late.append(vote)
        return tuple(reversed(late))

    def _accuse(self, poll: Poll, index: int, first: Vote, second: Vote) -> None:
        """Keep evidence against a validator, once a view."""
        if index not in poll.guilty:
            poll.guilty.add(index)
            self.evidence.append(Equivocation(first, second))

    @staticmethod
    def _certificate(
        vote: Vote, ballot: Ballot, validators: ValidatorSet, votes: dict[int, Vote]
    ) -> Certificate | None:
        """What a quorum of votes makes, unless they are proposals."""
        if vote.kind == PROPOSE:
            return None
        ballot.certified = True
        signatures = {index: each.signature for index, each in votes.items() if each.block == vote.block}
        return assemble(vote.epoch, vote.view, vote.kind, vote.block, signatures, len(validators))
