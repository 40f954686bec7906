"""The world: who can talk to whom, streams of chance of their own, and what a seed decides."""

from __future__ import annotations

from typing import Any

import pytest

from sim.scenario import Scenario
from sim.scenariochecks import changed
from sim.trace import Trace
from sim.world import World


def world(nodes: int = 4, **values: Any) -> World:
    """A network whose nodes are all up, at its first moment."""
    made = World(changed(Scenario(), nodes=nodes, anchor_every_ms=0, **values), Trace())
    made.start()
    return made


def connected(made: World) -> list[int]:
    """Indexes of those who can talk."""
    return [node.index for node in made.connected()]


def test_all_that_are_up_are_connected() -> None:
    made = world()
    assert connected(made) == [0, 1, 2, 3]
    made.nodes[2].crash()
    assert connected(made) == [0, 1, 3] and made.quorum_connected()
    made.nodes[0].crash()
    assert connected(made) == [1, 3] and not made.quorum_connected()
    for node in made.nodes:
        node.crash()
    assert connected(made) == [] and not made.quorum_connected()


def test_a_cut_leaves_the_larger_part_one_way_or_both() -> None:
    made = world(5)
    made.network.cut = {(a, b) for a in (0, 1) for b in (2, 3, 4)}
    assert connected(made) == [2, 3, 4] and not made.quorum_connected()
    made.network.cut = {(b, 0) for b in (1, 2, 3, 4)}
    assert connected(made) == [1, 2, 3, 4] and made.quorum_connected()


@pytest.mark.parametrize(("ms", "others"), [(2_000, [0, 1, 2, 3]), (2_001, [0, 1, 3]), (-2_001, [0, 1, 3])])
def test_a_clock_beyond_the_drift_is_out(ms: int, others: list[int]) -> None:
    made = world()
    made.nodes[2].shift_clock(ms * 1_000)
    assert connected(made) == others


@pytest.mark.parametrize(("nodes", "quorum"), [(1, 1), (2, 2), (3, 3), (4, 3), (5, 4), (6, 5), (7, 5)])
def test_a_quorum_is_more_than_two_thirds(nodes: int, quorum: int) -> None:
    made = world(nodes)
    for up in range(nodes, 0, -1):
        assert made.quorum_connected() is (up >= quorum)
        made.nodes[up - 1].crash()


def test_streams_of_chance_depend_on_the_seed_and_their_name_alone() -> None:
    one, again, other = world(seed=1), world(seed=1, nodes=7), world(seed=2)
    assert one.stream("network").random() == again.stream("network").random()
    assert len({made.stream(name).random() for made in (one, other) for name in ("network", "keys")}) == 4
    assert [node.key for node in one.nodes] == [node.key for node in again.nodes[:4]]
    assert not {node.key for node in one.nodes} & {node.key for node in other.nodes}
