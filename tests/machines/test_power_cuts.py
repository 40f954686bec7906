"""Power cuts of all nodes at once, between any two stores: whoever can sign goes on within two timeouts."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.machines.grid import INTERVAL_MS, TIMEOUT_MS, Grid, crash_points, cut_again_and_again, main, resumes


@pytest.mark.slow
@pytest.mark.parametrize("nodes", range(1, 8))
@pytest.mark.parametrize("muted", [False, True])
def test_the_chain_resumes_after_a_power_cut_before_every_store(nodes: int, muted: bool) -> None:
    """Each store of about two views; the order of coming back varies with it."""
    chance = Random(nodes)
    grid = Grid(nodes)
    grid.network.advance(25_000, deliver=True)
    for steps in range(1, 14 * nodes, 1 + nodes // 3):
        grid.lose_power(steps, muted, chance)
        order = list(range(nodes))
        chance.shuffle(order)
        grid.restart(order, 0)
        assert resumes(grid, grid.height()), f"stuck after a cut {steps} stores on, back in order {order}"


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(
    nodes=st.integers(1, 7),
    seed=st.integers(0, 2**32),
    cuts=st.lists(st.tuples(st.integers(1, 200), st.booleans(), st.integers(0, 7_000)), min_size=1, max_size=4),
    dead=st.integers(0, 2),
)
def test_a_quorum_resumes_however_often_and_in_what_order_it_comes_back(
    nodes: int, seed: int, cuts: list[tuple[int, bool, int]], dead: int
) -> None:
    chance = Random(seed)
    grid = Grid(nodes)
    quorum = 2 * nodes // 3 + 1
    for steps, muted, apart_ms in cuts:
        grid.lose_power(steps, muted, chance)
        order = chance.sample(range(nodes), max(quorum, nodes - dead))
        grid.restart(order, apart_ms)
        # The dead may lead, and the timeout starts anew with each node: a view for each of them, and a lost one.
        grid.network.advance(grid.network.now_ms + 3 * (INTERVAL_MS + TIMEOUT_MS), deliver=True)
        before = grid.height()
        grid.network.advance(grid.network.now_ms + 3 * INTERVAL_MS + 2 * TIMEOUT_MS, deliver=True)
        assert grid.height() > before


def test_many_cuts_come_to_each_crash_point_of_each_size(capsys: pytest.CaptureFixture[str]) -> None:
    sizes = [cut_again_and_again(number) for number in range(14)]
    assert [nodes for nodes, _, _ in sizes] == 2 * [*range(1, 8)] and not any(said for *_, said in sizes)
    assert set(sizes[0][1]) | set(sizes[7][1]) == set(crash_points(1)), "of one node there are as many as of one round"
    assert main(1) == 0
    assert capsys.readouterr().out.startswith("12 power cuts at 12 of 392 crash points, 0 stuck, ")
