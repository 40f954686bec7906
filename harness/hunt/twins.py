"""Twins, enumerated: each way to split four validators, one of them run twice, and to lead, round by round.

After Bano et al., Twins: BFT systems made robust (OPODIS 2021): a case says for each of its rounds which nodes hear
each other and who leads. What is the same but for the names of the honest nodes, or for which of the twins is which, is
one case, of which the first is run.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import cache
from itertools import permutations, product
from typing import Any, NamedTuple

from harness.hunt.judge import judge
from harness.hunt.record import Judged
from sim.faults.rounds import Rounds
from sim.scenario import Scenario

NODES = 4
BODIES = NODES + 1
"""The nodes that run: the last one has the key of the first."""
SECOND_MS = 1_000
PATIENCE_MS = 2_000
"""How long a round's split lasts where no quorum can meet: twice the timeout, so that all have signed skip."""
PARAMETERS = {
    "block_interval_ms": SECOND_MS, "slot_duration_ms": 12_000, "slot_timeout_ms": SECOND_MS,
    "max_clock_drift_ms": 400,
}  # fmt: skip

Split = tuple[int, ...]
"""The group of each body; groups are numbered in the order in which they appear."""


class TwinRound(NamedTuple):
    """Who leads, and who hears whom: all of them the proposals, if the split is `late`."""

    leader: int
    split: Split
    late: bool = False


class TwinScope(NamedTuple):
    """How many rounds there are, into how many groups each splits the nodes at most, and whether splits may be late."""

    rounds: int
    groups: int
    late: bool = False

    def __str__(self) -> str:
        return f"twins/{self.rounds}/{self.groups}{'/late' if self.late else ''}"

    @property
    def numbers(self) -> int:
        """How many cases there are if each name counts; they are numbered from 0."""
        return int(len(choices(self.groups, self.late)) ** self.rounds)

    @property
    def cases(self) -> int:
        """How many there are up to names, by Burnside's lemma."""
        images = _images(self.groups, self.late)
        fixed = [sum(place == each for place, each in enumerate(image)) for image in images]
        return int(sum(each**self.rounds for each in fixed)) // len(images)


def scope_of(name: str) -> TwinScope:
    """The scope of a name, as `str` gives it."""
    _, rounds, groups, *late = name.split("/")
    return TwinScope(int(rounds), int(groups), bool(late))


@cache
def choices(groups: int, late: bool = False) -> tuple[TwinRound, ...]:
    """All rounds, with at most so many groups, and with late splits or without."""
    splits = sorted({_numbered(each) for each in product(range(groups), repeat=BODIES)})
    early = [TwinRound(leader, split) for leader in range(NODES) for split in splits]
    return tuple(early + [each._replace(late=True) for each in early if late and any(each.split)])


def case(number: int, scope: TwinScope) -> tuple[TwinRound, ...]:
    """The rounds of a case."""
    every = choices(scope.groups, scope.late)
    places = []
    for _ in range(scope.rounds):
        number, place = divmod(number, len(every))
        places.append(place)
    return tuple([every[place] for place in reversed(places)])


def canonical(scope: TwinScope) -> Iterator[int]:
    """The numbers of the cases that are the first of those that differ by names alone, in order."""
    images, size = _images(scope.groups, scope.late), len(choices(scope.groups, scope.late))
    for number, places in enumerate(product(range(size), repeat=scope.rounds)):
        if all(places <= tuple([image[place] for place in places]) for image in images):
            yield number


def scenario(number: int, scope: TwinScope) -> Scenario:
    """A case as a hunted scenario: quiet but for the split, then calm."""
    rounds = case(number, scope)
    split = [
        [[body for body in range(BODIES) if each.split[body] == group] for group in sorted(set(each.split))]
        for each in rounds
    ]
    late = [each.late for each in rounds] if scope.late else []
    leaders = [each.leader for each in rounds]
    fault = Rounds(node=0, leaders=leaders, split=split, late=late, patience_ms=PATIENCE_MS)
    calm_ms = scope.rounds * (PATIENCE_MS + SECOND_MS) + SECOND_MS
    keys: dict[str, Any] = {"profile": "lan", "anchor_every_ms": 0, "parameters": PARAMETERS, "fault": [fault]}
    text = f"case {number:,} of {scope.numbers:,}: {scope.rounds} rounds of at most {scope.groups} groups"
    return Scenario(name="twins", description=text, nodes=NODES, calm=calm_ms, duration=calm_ms + 3_600_000, **keys)


def judge_case(number: int, name: str) -> Judged:
    """Run a case under all invariants; `name` is that of its scope."""
    began = time.perf_counter()
    outcome = judge(scenario(number, scope_of(name)))
    return Judged(number, outcome, time.perf_counter() - began)


@cache
def _images(groups: int, late: bool) -> tuple[tuple[int, ...], ...]:
    """By symmetry, what each round becomes if the honest nodes are renamed and the twins change places."""
    every = choices(groups, late)
    places = {each: place for place, each in enumerate(every)}
    images = []
    for honest in permutations(range(1, NODES)):
        for twins in ((0, NODES), (NODES, 0)):
            name = (twins[0], *honest, twins[1])
            renamed = [TwinRound(_leader(each.leader, honest), _renamed(each.split, name), each.late) for each in every]
            images.append(tuple([places[each] for each in renamed]))
    return tuple(images)


def _leader(leader: int, honest: tuple[int, ...]) -> int:
    return honest[leader - 1] if leader else 0


def _renamed(split: Split, name: tuple[int, ...]) -> Split:
    groups = [0] * BODIES
    for body, group in enumerate(split):
        groups[name[body]] = group
    return _numbered(tuple(groups))


def _numbered(groups: tuple[int, ...]) -> Split:
    seen: dict[int, int] = {}
    return tuple([seen.setdefault(group, len(seen)) for group in groups])
