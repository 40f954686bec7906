"""The search: breadth first through every state that the nodes of a scope can be in."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

from harness.explore.brokenrule import BrokenRule
from harness.explore.calm import check_calm
from harness.explore.moves import MoveOutcome, Moves
from harness.explore.scope import ExploreScope
from harness.explore.setting import Setting

BITS = 28
"""For each number in a state's: so many stands or sets of letters are more than any memory holds."""
REMEMBERED = 400_000


class SearchStep(NamedTuple):
    """One step on the way to a broken rule: which node, and what happened to it."""

    place: int
    outcome: MoveOutcome


class Result(NamedTuple):
    """What a search came to. It is `closed` if every state of the scope was seen; else the limit or a rule ended it."""

    scope: ExploreScope
    states: int
    steps: int
    depth: int
    stands: int
    letters: int
    quiet: int
    closed: bool
    waiting: int
    broken: BrokenRule | None
    trail: tuple[SearchStep, ...]


class Search:
    """States seen, and those that wait to be looked at. A state is the nodes' stands and the letters sent."""

    def __init__(self, scope: ExploreScope) -> None:
        self.scope = scope
        self.setting = Setting(scope)
        self.moves = Moves(self.setting)
        self.steps = self.quiet = self.depth = 0
        self.broken: BrokenRule | None = None
        self.trail: tuple[SearchStep, ...] = ()
        self._sets: list[int] = []
        self._numbers: dict[int, int] = {}
        self._calmed: set[int] = set()
        self._near: dict[tuple[int, int], list[tuple[int, int, MoveOutcome]]] = {}
        stands, sent = self.moves.start()
        first = self._pack(stands, self._set(sent))
        self._came: dict[int, int] = {first: 0}
        self._layer: deque[int] = deque((first,))
        self._next: list[int] = []

    def go_on(self, until: Callable[[Search], bool] = lambda search: False) -> Result:
        """Search until all is seen, a rule is broken, or `until` says so, which is asked now and then."""
        looked = 0
        while self.broken is None:
            if not self._layer:
                if not self._next:
                    break
                self._layer, self._next = deque(self._next), []
                self.depth += 1
            looked += 1
            if looked % 256 == 0 and until(self):
                break
            state = self._layer[0]
            self._look(state)
            if self.broken is None:
                self._layer.popleft()
        return self.result()

    @property
    def states(self) -> int:
        """States seen."""
        return len(self._came)

    def result(self) -> Result:
        """What the search has come to so far."""
        waiting = len(self._layer) + len(self._next)
        return Result(
            scope=self.scope,
            states=self.states,
            steps=self.steps,
            depth=self.depth,
            stands=len(self.moves.stands),
            letters=len(self.moves.post.letters),
            quiet=self.quiet,
            closed=not waiting and self.broken is None,
            waiting=waiting,
            broken=self.broken,
            trail=self.trail,
        )

    def _look(self, state: int) -> None:
        """Take every step from a state; where nobody but the traitor can do anything, see what calm makes of it."""
        *stands, sent = self._unpack(state)
        came, following = self._came, self._next
        quiet = True
        for place, stand in enumerate(stands):
            shift = BITS * (len(stands) - place)
            for after, letters, outcome in self._steps(stand, sent):
                if outcome.broken is not None:
                    self._found(outcome.broken, state, SearchStep(self.setting.honest[place], outcome))
                    return
                self.steps += 1
                quiet = quiet and (outcome.cut is not None or self._by_traitor(outcome))
                reached = state + (after - stand << shift) + (letters - sent)
                if reached not in came:
                    came[reached] = state
                    following.append(reached)
        if quiet:
            self._calm(state, stands)

    def _steps(self, stand: int, sent: int) -> list[tuple[int, int, MoveOutcome]]:
        """Steps of a node by what it comes to: its stand, and the letters sent."""
        known = self._near.get((stand, sent))
        if known is None:
            letters = self._sets[sent]
            known = []
            for outcome in self.moves.outcomes(stand, letters):
                if outcome.broken is None and outcome.stand == stand and not outcome.sent & ~letters:
                    continue
                try:
                    known.append((outcome.stand, self._set(letters | outcome.sent), outcome))
                except BrokenRule as broken:
                    known.append((stand, sent, outcome._replace(broken=broken)))
            if len(self._near) >= REMEMBERED:
                self._near.clear()
            self._near[stand, sent] = known
        return known

    def _by_traitor(self, outcome: MoveOutcome) -> bool:
        letters, traitor = self.moves.post.letters, self.scope.byzantine
        return any(letters[number].sender == traitor for number in outcome.happening.letters)

    def _calm(self, state: int, stands: list[int]) -> None:
        key = state >> BITS
        if key in self._calmed or all(self.moves.stands[each].done for each in stands):
            return
        self._calmed.add(key)
        self.quiet += 1
        try:
            check_calm(self.setting, [self.moves.thaw(each) for each in stands])
        except BrokenRule as broken:
            self._found(broken, state, None)
        except Exception as error:
            self._found(BrokenRule("a machine holds itself to its rules", repr(error)), state, None)

    def _found(self, broken: BrokenRule, state: int, last: SearchStep | None) -> None:
        """A rule is broken: tell how it came to that."""
        states = [state]
        while before := self._came[states[-1]]:
            states.append(before)
        states.reverse()
        trail = [self._between(one, other) for one, other in pairwise(states)]
        self.broken, self.trail = broken, (*trail, *([] if last is None else [last]))

    def _between(self, one: int, other: int) -> SearchStep:
        """A step that leads from one state to another."""
        *stands, sent = self._unpack(one)
        for place, stand in enumerate(stands):
            shift = BITS * (len(stands) - place)
            for after, letters, outcome in self._steps(stand, sent):
                if one + (after - stand << shift) + (letters - sent) == other:
                    return SearchStep(self.setting.honest[place], outcome)
        raise AssertionError("each state was reached by a step")

    def _set(self, letters: int) -> int:
        """The number of a set of letters; raises `BrokenRule` if what they say breaks a rule."""
        number = self._numbers.get(letters)
        if number is None:
            self.moves.post.check(letters)
            number = self._numbers[letters] = len(self._sets)
            self._sets.append(letters)
        return number

    def _pack(self, stands: tuple[int, ...], sent: int) -> int:
        state = 0
        for each in (*stands, sent):
            state = state << BITS | each
        # A bit above all tells the first state, whose numbers may all be 0, from none.
        return state | 1 << BITS * (len(stands) + 1)

    def _unpack(self, state: int) -> list[int]:
        count, mask = len(self.setting.honest) + 1, (1 << BITS) - 1
        return [state >> BITS * place & mask for place in reversed(range(count))]
