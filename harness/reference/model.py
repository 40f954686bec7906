"""A model of section 4 of the protocol, small enough to read beside it.

Votes that were sent stay there for all to use or not, so that any delay, loss and order is some choice of steps. A
certificate is there once honest votes and the Byzantine ones that could be added make a quorum; the Byzantine vote for
everything and lead every view. What honest validators do is what the rules let them, and nothing makes them do it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import NamedTuple

SKIPS_HELD = "a skip of every view between is held"
ONE_NOTARIZE = "one notarize a view"
NOTARIZE_NO_SKIP = "no notarize after the own skip"
NOTARIZE_IN_TIME = "no notarize after the timer"
FINALIZE_NO_SKIP = "no finalize after the own skip"
FINALIZE_IN_TIME = "no finalize of a view whose timer fired"
FINALIZE_NOT_SKIPPED = "no finalize of a view left by a skip"
RULES = frozenset((
    SKIPS_HELD, ONE_NOTARIZE, NOTARIZE_NO_SKIP, NOTARIZE_IN_TIME, FINALIZE_NO_SKIP, FINALIZE_IN_TIME,
    FINALIZE_NOT_SKIPPED,
))  # fmt: skip
"""The rules of section 4 that can be left out, one by one, to see which safety rests on."""


class Votes(NamedTuple):
    """What an honest validator signed in one view: blocks by number; no finalize is 0."""

    notarize: tuple[int, ...] = ()
    skip: bool = False
    finalize: int = 0


class Honest(NamedTuple):
    """An honest validator: its view, whether that view's timer fired, its votes by view (the log).

    `carried` is the block whose notarization carried it out of the view before in time, or 0: it may finalize that.
    """

    view: int
    timed_out: bool
    carried: int
    votes: tuple[Votes, ...]


State = tuple[Honest, ...]
"""The honest validators in sorted order: they are alike, so that only what each did counts, not who did it."""


class Model:
    """`honest` validators and `byzantine` ones; `variants` says how many blocks each view has on each parent."""

    def __init__(
        self, honest: int, byzantine: int, variants: tuple[int, ...] = (1, 1), rules: frozenset[str] = RULES
    ) -> None:
        self.views = views = len(variants)
        self.rules = rules
        self.needed = 2 * (honest + byzantine) // 3 + 1 - byzantine
        self.start: State = (Honest(1, False, 0, (Votes(),) * views),) * honest
        # Block 0 is the root, notarized in view 0. A block is a variant on a block of an earlier view.
        self.parent, self.view_of = [0], [0]
        for view in range(1, views + 1):
            for parent in range(len(self.parent)):
                for _ in range(variants[view - 1]):
                    self.parent.append(parent)
                    self.view_of.append(view)
        self.blocks = [[block for block, at in enumerate(self.view_of) if at == view] for view in range(views + 1)]

    def steps(self, state: State) -> Iterator[State]:
        """Every state after one step of one honest validator."""
        for place, one in enumerate(state):
            if place and state[place - 1] == one:
                continue
            for after in self._moves(state, one):
                if after != one:
                    yield tuple(sorted((*state[:place], after, *state[place + 1 :])))

    def _moves(self, state: State, one: Honest) -> Iterator[Honest]:
        view = one.view
        yield from self._finalize(state, one)
        if view > self.views:
            return
        yield from self._notarize(state, one)
        # Rule 4: the timer fires. A restart sets it anew; the log stays.
        mine = one.votes[view - 1]
        if not one.timed_out and not mine.finalize:
            yield _voted(one._replace(timed_out=True), view, mine._replace(skip=True))
        yield one._replace(timed_out=False)
        # Rule 1: any certificate at or above its view carries it past that view.
        for at in range(view, self.views + 1):
            if self.skipped(state, at):
                yield one._replace(view=at + 1, timed_out=False, carried=0)
            for block in self.blocks[at]:
                if self.notarized(state, block):
                    late = at == view and one.timed_out and FINALIZE_IN_TIME in self.rules
                    yield one._replace(view=at + 1, timed_out=False, carried=0 if late else block)

    def _notarize(self, state: State, one: Honest) -> Iterator[Honest]:
        """Rule 3: one valid proposal a view, whose skips are held."""
        mine, rules = one.votes[one.view - 1], self.rules
        if (mine.notarize and ONE_NOTARIZE in rules) or (mine.skip and NOTARIZE_NO_SKIP in rules):
            return
        if one.timed_out and NOTARIZE_IN_TIME in rules:
            return
        for block in self.blocks[one.view]:
            parent = self.parent[block]
            between = range(self.view_of[parent] + 1, one.view)
            if block in mine.notarize or not self.notarized(state, parent):
                continue
            if SKIPS_HELD not in rules or all(self.skipped(state, each) for each in between):
                yield _voted(one, one.view, mine._replace(notarize=(*mine.notarize, block)))

    def _finalize(self, state: State, one: Honest) -> Iterator[Honest]:
        """Rule 5: the view before, if its notarization carried this validator on in time."""
        view = one.view - 1
        mine = one.votes[view - 1] if view else Votes()
        if not view or mine.finalize or (mine.skip and FINALIZE_NO_SKIP in self.rules):
            return
        for block in self.blocks[view]:
            late = one.carried != block and FINALIZE_NOT_SKIPPED in self.rules
            if not late and self.notarized(state, block):
                yield _voted(one, view, mine._replace(finalize=block))

    def notarized(self, state: State, block: int) -> bool:
        """Whether there can be a notarization of a block."""
        at = self.view_of[block] - 1
        return block == 0 or sum(block in one.votes[at].notarize for one in state) >= self.needed

    def skipped(self, state: State, view: int) -> bool:
        """Whether there can be a skip certificate of a view."""
        return sum(one.votes[view - 1].skip for one in state) >= self.needed

    def final(self, state: State) -> list[int]:
        """Blocks that there can be a finality certificate of."""
        return [
            block
            for block in range(1, len(self.parent))
            if sum(one.votes[self.view_of[block] - 1].finalize == block for one in state) >= self.needed
        ]

    def disagreement(self, state: State) -> tuple[int, int] | None:
        """Two final blocks neither of which descends from the other."""
        for first, second in combinations(self.final(state), 2):
            above = second
            while above > first:
                above = self.parent[above]
            if above != first:
                return first, second
        return None


def _voted(one: Honest, view: int, votes: Votes) -> Honest:
    return one._replace(votes=(*one.votes[: view - 1], votes, *one.votes[view:]))
