"""What /health says of a clock that is off, by those of peers and by the blocks that become final."""

from __future__ import annotations

import pytest

from lucid.chain.genesis import Genesis, GenesisNode
from lucid.chain.parameters import paced
from lucid.services.chain.clocks import BLOCKS, Clocks

GENESIS = Genesis(1_000_000, (GenesisNode(bytes(32), "pi"),), parameters=paced(1_000))


class ClockBench:
    """A chain that is told of, and clocks that are turned by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_s = 100.0
        self.height = 0
        self.ahead: dict[bytes, int] = {}
        monkeypatch.setattr("time.monotonic", lambda: self.now_s)
        self.clocks = Clocks(GENESIS, lambda: self.ahead)

    def blocks(self, count: int, off_ms: int, every_s: float = 1.0) -> None:
        """So many blocks, by a clock that is so much ahead."""
        for _ in range(count):
            self.now_s += every_s
            self.height += 1
            self.clocks.block_final(self.height, GENESIS.tick_ms(self.height) + 300 + off_ms)


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> ClockBench:
    """A fresh one."""
    return ClockBench(monkeypatch)


@pytest.mark.parametrize(
    ("off_ms", "said"), [(0, None), (-500, None), (1_000, None), (-5_000, "4.7 s behind"), (60_000, "60.3 s ahead of")]
)
def test_a_clock_that_is_off_is_told_by_how_much(bench: ClockBench, off_ms: int, said: str | None) -> None:
    bench.blocks(BLOCKS - 1, off_ms)
    assert bench.clocks.own() is None, "too few to tell"
    bench.blocks(1, off_ms)
    found = bench.clocks.own()
    assert (None if found is None else found.sentence) == (said and f"this node's clock is {said} the chain's")


def test_old_blocks_that_are_fetched_say_nothing_of_the_clock(bench: ClockBench) -> None:
    bench.blocks(50, 3_600_000, every_s=0.01)
    assert bench.clocks.own() is None


@pytest.mark.parametrize("off_ms", [60_000, 3_600_000])
def test_blocks_that_come_one_by_one_are_not_fetched(bench: ClockBench, off_ms: int) -> None:
    bench.blocks(BLOCKS, off_ms)
    found = bench.clocks.own()
    assert found is not None and found.state == "clock off"


def test_a_chain_that_is_slow_is_no_clock_that_is_off(bench: ClockBench) -> None:
    bench.blocks(2 * BLOCKS, 7_000, every_s=5.0)
    assert bench.clocks.own() is None
    bench.blocks(2 * BLOCKS, 7_000)
    assert bench.clocks.own() is not None, "blocks come as fast as they should, and are too old"
    bench.blocks(2 * BLOCKS, 60_000, every_s=5.0)
    assert bench.clocks.own() is not None, "older than that it is slow could make them"


@pytest.mark.parametrize("step_ms", [500, -500])
def test_a_node_that_falls_behind_or_comes_up_slowly_has_no_clock_that_is_off(bench: ClockBench, step_ms: int) -> None:
    """On a machine with far too much to do, blocks came one by one and up to 29 s late, each by another time."""
    for number in range(3 * BLOCKS):
        bench.blocks(1, 20_000 + number * step_ms, every_s=1.5 if step_ms > 0 else 0.6)
        assert bench.clocks.own() is None
    bench.blocks(BLOCKS, 20_000)
    found = bench.clocks.own()
    assert found is not None and found.state == "clock off"


def test_a_clock_that_is_off_those_of_most_peers_is_named_although_the_chain_stands_still(bench: ClockBench) -> None:
    bench.blocks(1, 0)
    bench.now_s += 60
    bench.ahead = {b"a": -60_100, b"b": -59_000, b"c": 0}
    found = bench.clocks.own()
    assert found is not None and found.sentence == "this node's clock is 60.1 s ahead of those of 2 of its 3 peers"
    bench.ahead = {b"a": 61_000}
    found = bench.clocks.own()
    assert found is not None and "61.0 s behind those of 1 of its 1 peers" in found.sentence and found.remedy
    assert bench.clocks.of_peers() is None
    bench.ahead = {b"a": GENESIS.parameters.max_clock_drift_ms, b"b": -100}
    assert bench.clocks.own() is bench.clocks.of_peers() is None


def test_the_clocks_of_a_few_peers_are_theirs_to_mend(bench: ClockBench) -> None:
    bench.ahead = {b"\xaa" * 32: 60_000, b"\xbb" * 32: -60_000, b"c": 0, b"d": 0}
    assert bench.clocks.own() is None
    found = bench.clocks.of_peers()
    assert found is not None and "2 peers differ" in found.sentence
    assert "aaaaaaaaaaaaaaaa by +60.0 s, bbbbbbbbbbbbbbbb by -60.0 s" in found.sentence
