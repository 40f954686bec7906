"""Twins, enumerated: each case once whatever its nodes are called, each is run by the real machines, none fails."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from harness.hunt.ablation import without
from harness.hunt.judge import RunVerdict, judge
from harness.hunt.twins import BODIES, TwinRound, TwinScope, canonical, case, choices, judge_case, scenario, scope_of
from harness.hunt.twins import _images as images
from lucid.chain.votes import NOTARIZE, SKIP
from lucid.machines.manager import Manager
from sim.scenario import Scenario
from sim.scenariofile import dump, parse

PAIRS = TwinScope(2, 2)
LATE = TwinScope(2, 2, late=True)


Renamed = tuple[tuple[int, frozenset[frozenset[int]], bool], ...]


def renamed(rounds: tuple[TwinRound, ...], name: tuple[int, ...]) -> Renamed:
    """Rounds as sets, with other names for the nodes: written here anew."""
    told = []
    for leader, split, late in rounds:
        groups = frozenset(
            frozenset(name[body] for body in range(BODIES) if split[body] == group) for group in set(split)
        )
        told.append((name[leader] if leader else 0, groups, late))
    return tuple(told)


NAMES = [(a, *honest, b) for honest in permutations((1, 2, 3)) for a, b in ((0, 4), (4, 0))]


@pytest.mark.parametrize("scope", [TwinScope(1, 1), TwinScope(1, 5), PAIRS, TwinScope(1, 3, late=True)], ids=str)
def test_each_case_is_there_once_whatever_its_nodes_are_called(scope: TwinScope) -> None:
    numbers = list(canonical(scope))
    assert len(numbers) == scope.cases and numbers == sorted(set(numbers))
    chosen = {frozenset(renamed(case(number, scope), name) for name in NAMES) for number in numbers}
    assert len(chosen) == len(numbers), "none is another by other names"
    every = {frozenset(renamed(case(number, scope), name) for name in NAMES) for number in range(scope.numbers)}
    assert chosen == every, "and each has one that is run"


def test_the_number_of_splits_is_that_of_partitions() -> None:
    assert [len(choices(groups)) // 4 for groups in range(1, 6)] == [1, 16, 41, 51, 52], "Stirling numbers, added up"
    assert len(images(2, False)) == 12 and all(sorted(each) == list(range(64)) for each in images(2, False))
    assert len(choices(2, True)) == 4 * (16 + 15), "all nodes in one group are not split"
    assert (TwinScope(3, 2).numbers, TwinScope(3, 2).cases) == (262_144, 25_740)


def test_a_case_is_a_scenario_and_its_scope_a_name() -> None:
    made = scenario(1_234, PAIRS)
    assert parse(dump(made), "again") == made
    assert scope_of(str(PAIRS)) == PAIRS
    assert [scope_of(str(each)) for each in (LATE, PAIRS)] == [LATE, PAIRS]
    late = scenario(TwinScope(2, 2).numbers, LATE)
    assert parse(dump(late), "again") == late
    assert tuple(each.leader for each in case(1_234, PAIRS)) == made.fault[0].leading


def test_cases_are_safe_and_come_back() -> None:
    numbers = list(canonical(PAIRS))[::25]
    assert {judge_case(number, str(PAIRS)).outcome.verdict for number in numbers} == {RunVerdict.PASS}


def test_a_quorum_that_is_too_small_is_found() -> None:
    with without("quorum"):
        found = [judge_case(number, str(PAIRS)).outcome for number in (67, 192)]
    assert {(each.verdict, each.invariant) for each in found} == {(RunVerdict.DIVERGED, "agreement")}


@pytest.mark.parametrize(
    ("safeguard", "number", "invariant"),
    [
        ("no-finalize-late", 69, "no double vote"),
        ("no-finalize-after-skip", 441, "no double vote"),
        ("skips-held", 10_563, "a proposal is judged once the skips between are held"),
    ],
)
def test_a_split_after_the_proposal_finds_what_other_splits_never_do(
    safeguard: str, number: int, invariant: str
) -> None:
    """A view then has votes for its block that nobody hears before all have given it up: both its certificates."""
    assert judge_case(number, str(LATE)).outcome.verdict is RunVerdict.PASS
    with without(safeguard):
        outcome = judge_case(number, str(LATE)).outcome
    assert (outcome.verdict, outcome.invariant) == (RunVerdict.DIVERGED, invariant)


def test_without_late_splits_no_view_has_both_its_certificates() -> None:
    """So what keeps a notarized view from being skipped, and a skipped one from being final, is not needed there."""
    numbers = list(canonical(PAIRS))[::25]
    assert not any(both_certificates(scenario(number, PAIRS)) for number in numbers)
    assert both_certificates(scenario(69, LATE))


def both_certificates(case_: Scenario) -> bool:
    """Whether a manager ever held a notarization and a skip of one view."""
    found: list[int] = []

    class Tap:
        machine, votes, checks = Manager, False, 0

        def __call__(self, runner: Any, now: int, event: Any, effects: Any) -> None:
            held = runner.machine.chain.tree.certificates
            found.extend([view for view, kind in held if kind == SKIP and (view, NOTARIZE) in held])

    judge(case_, prepare=lambda world: world.taps.append(Tap()))
    return bool(found)
