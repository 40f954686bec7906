"""Who passes a proposal on to whom: small ones go straight to all, large ones in two hops (protocol section 4)."""

from __future__ import annotations

from math import isqrt

from lucid.chain.votes import NOTARIZE, Vote


def relay_groups(validators: tuple[bytes, ...], origin: bytes) -> tuple[tuple[bytes, ...], ...]:
    """The validators but for `origin`, in order from it on and round, in groups of isqrt(n - 1).

    The origin sends to one of each group, who sends to the rest of it.
    """
    start = validators.index(origin)
    others = validators[start + 1 :] + validators[:start]
    # Groups of sqrt(n): then a leader and a group's first send about as many copies each, and nobody n.
    length = max(1, isqrt(len(others)))
    return tuple([others[first : first + length] for first in range(0, len(others), length)])


def relay_targets(validators: tuple[bytes, ...], origin: bytes, key: bytes) -> tuple[bytes, ...]:
    """The rest of the group of `key`, to whom it passes on what `origin` sent it; none if either is not a validator."""
    if origin not in validators or key not in validators or key == origin:
        return ()
    group = next(each for each in relay_groups(validators, origin) if key in each)
    return tuple([each for each in group if each != key])


class Spreading:
    """A leader's own large proposal on its way: who has it, as far as votes tell, and who is to be sent it next.

    A group in which somebody does not vote is sent it again, through a member that has not voted and was not tried
    yet. The first time is a third of the view's timeout after the proposal, and by two thirds every member that does
    not vote was sent it by the leader itself. So nobody's share depends on anyone else's being up, or honest.
    """

    def __init__(
        self, vote: Vote, data: bytes, groups: tuple[tuple[bytes, ...], ...], now: int, patience_ms: int
    ) -> None:
        self.vote = vote
        self.data = data
        # Thirds of the timeout: one for the two hops, one to reach who is left, one for votes to come back.
        self.due_ms = now + patience_ms // 3
        self._step_ms = max(1, patience_ms // (3 * max((len(group) for group in groups), default=1)))
        self._groups = groups
        self._voted: set[bytes] = set()
        self._tried: set[bytes] = set()

    def heard(self, vote: Vote) -> None:
        """A validator's vote came: it has the proposal."""
        if (vote.epoch, vote.view, vote.kind, vote.block) == (
            self.vote.epoch,
            self.vote.view,
            NOTARIZE,
            self.vote.block,
        ):
            self._voted.add(vote.signer)

    def targets(self) -> list[bytes]:
        """One of each group that is not complete and has somebody left to try; from here on they count as tried."""
        chosen = []
        for group in self._groups:
            silent = [each for each in group if each not in self._voted and each not in self._tried]
            if silent:
                chosen.append(silent[0])
        self._tried.update(chosen)
        return chosen

    def next_ms(self) -> int:
        """When to look again, after one look."""
        self.due_ms += self._step_ms
        return self.due_ms
