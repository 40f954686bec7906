"""The quorum path against cases that can be worked out by hand, and against what simulated runs reach."""

from __future__ import annotations

from statistics import median

from hypothesis import given
from hypothesis import strategies as st

from sim.quorum_path import earliest_final_us
from tests.runs import passed, scenario

matrices = st.integers(1, 9).flatmap(
    lambda nodes: st.lists(
        st.lists(st.integers(1, 200_000), min_size=nodes, max_size=nodes), min_size=nodes, max_size=nodes
    )
)


def test_equal_links_take_three_delays_and_two_at_a_lone_pair() -> None:
    assert earliest_final_us([[100] * 4] * 4, 0) == [300] * 4
    assert earliest_final_us([[0]], 0) == [0]


def test_a_far_minority_does_not_slow_the_quorum_near_the_leader() -> None:
    # Three nodes 1 ms apart, the fourth 100 ms away: three are a quorum of four.
    far = [[1 if 3 not in (a, b) else 100 for b in range(4)] for a in range(4)]
    assert earliest_final_us(far, 0)[:3] == [3, 3, 3]
    assert earliest_final_us(far, 3)[0] == 102, "a far leader: its block, then two rounds among the near ones"


def test_what_is_forwarded_may_be_faster_than_the_straight_way() -> None:
    base = [[10] * 4 for _ in range(4)]
    for voter in (0, 1):
        base[voter][3] = 1_000  # votes of two nodes reach node 3 late, the notarization by way of node 2 does not
    assert earliest_final_us(base, 2)[3] == 1_020
    base[0][3] = 10
    assert earliest_final_us(base, 2)[3] == 30


@given(matrices)
def test_no_node_is_faster_than_its_own_link_from_the_leader(base: list[list[int]]) -> None:
    for leader in range(len(base)):
        path = earliest_final_us(base, leader)
        assert all(at >= (0 if node == leader else base[leader][node]) for node, at in enumerate(path))


@given(matrices)
def test_slower_links_never_make_finality_faster(base: list[list[int]]) -> None:
    slower = [[delay + 1_000 for delay in row] for row in base]
    for leader in range(len(base)):
        pairs = zip(earliest_final_us(base, leader), earliest_final_us(slower, leader), strict=True)
        assert all(fast <= slow for fast, slow in pairs)


def test_nodes_that_are_clustered_are_not_faster_than_the_best() -> None:
    places = ["west-europe", "north-europe"] * 3 + ["west-europe", "australia-east", "japan-east", "brazil-south"]
    document = passed(scenario(nodes=10, duration="10m", regions=places)).document
    assert 1.0 <= document["finality_ratio"] <= 2.5, "disks and signatures weigh where links are short"
    # Jitter varies each link around its median, so a single block may be a little below what medians allow.
    series = document["series"]["finality"]
    assert all(latency >= 0.9 * best for _, latency, _, best in series)
    assert median(row[1] for row in series) >= median(row[3] for row in series)
