"""Twins, enumerated: each case once whatever its nodes are called, each is run by the real machines, none fails."""

from __future__ import annotations

from itertools import permutations

import pytest

from harness.hunt.ablation import without
from harness.hunt.judge import RunVerdict
from harness.hunt.twins import BODIES, TwinRound, TwinScope, canonical, case, choices, judge_case, scenario, scope_of
from harness.hunt.twins import _images as images
from sim.scenariofile import dump, parse

PAIRS = TwinScope(2, 2)


def renamed(rounds: tuple[TwinRound, ...], name: tuple[int, ...]) -> tuple[tuple[int, frozenset[frozenset[int]]], ...]:
    """Rounds as sets, with other names for the nodes: written here anew."""
    told = []
    for leader, split in rounds:
        groups = frozenset(
            frozenset(name[body] for body in range(BODIES) if split[body] == group) for group in set(split)
        )
        told.append((name[leader] if leader else 0, groups))
    return tuple(told)


NAMES = [(a, *honest, b) for honest in permutations((1, 2, 3)) for a, b in ((0, 4), (4, 0))]


@pytest.mark.parametrize("scope", [TwinScope(1, 1), TwinScope(1, 5), PAIRS], ids=str)
def test_each_case_is_there_once_whatever_its_nodes_are_called(scope: TwinScope) -> None:
    numbers = list(canonical(scope))
    assert len(numbers) == scope.cases and numbers == sorted(set(numbers))
    chosen = {frozenset(renamed(case(number, scope), name) for name in NAMES) for number in numbers}
    assert len(chosen) == len(numbers), "none is another by other names"
    every = {frozenset(renamed(case(number, scope), name) for name in NAMES) for number in range(scope.numbers)}
    assert chosen == every, "and each has one that is run"


def test_the_number_of_splits_is_that_of_partitions() -> None:
    assert [len(choices(groups)) // 4 for groups in range(1, 6)] == [1, 16, 41, 51, 52], "Stirling numbers, added up"
    assert len(images(2)) == 12 and all(sorted(each) == list(range(64)) for each in images(2))
    assert (TwinScope(3, 2).numbers, TwinScope(3, 2).cases) == (262_144, 25_740)


def test_a_case_is_a_scenario_and_its_scope_a_name() -> None:
    made = scenario(1_234, PAIRS)
    assert parse(dump(made), "again") == made
    assert scope_of(str(PAIRS)) == PAIRS
    assert tuple(each.leader for each in case(1_234, PAIRS)) == made.fault[0].leading


def test_cases_are_safe_and_come_back() -> None:
    numbers = list(canonical(PAIRS))[::25]
    assert {judge_case(number, str(PAIRS)).outcome.verdict for number in numbers} == {RunVerdict.PASS}


def test_a_quorum_that_is_too_small_is_found() -> None:
    with without("quorum"):
        found = [judge_case(number, str(PAIRS)).outcome for number in (67, 192)]
    assert {(each.verdict, each.invariant) for each in found} == {(RunVerdict.DIVERGED, "agreement")}
