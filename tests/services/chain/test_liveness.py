"""What /health says of a chain that stands still, of one that is ahead, and of a node that is no validator."""

from __future__ import annotations

import pytest

from lucid.chain.genesis import Genesis, GenesisNode
from lucid.chain.parameters import paced
from lucid.services.chain.liveness import FEW_BLOCKS, NO_VALIDATOR, Liveness, Reach, no_validator
from lucid.storage.sqlite import SqliteStore
from tests.builders import make_genesis
from tests.services.chain.growing import Growing

GENESIS = Genesis(1_000_000, (GenesisNode(bytes(32), "pi"),), parameters=paced(1_000))


class Bench:
    """A chain that is told of, and a clock that is turned by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_s = 100.0
        self.height = self.goal = 0
        self.informed = True
        self.reach = Reach(4, 3)
        monkeypatch.setattr("time.monotonic", lambda: self.now_s)
        self.liveness = Liveness(
            GENESIS,
            lambda: self.height,
            lambda: self.goal,
            lambda: self.reach,
            lambda: self.informed,
        )

    def blocks(self, count: int, off_ms: int, every_s: float = 1.0) -> None:
        """So many blocks, by a clock that is so much ahead."""
        for _ in range(count):
            self.now_s += every_s
            self.height += 1
            self.liveness.block_final(self.height, GENESIS.tick_ms(self.height) + 300 + off_ms)

    def states(self) -> list[str]:
        """What /health would name."""
        return [found.state for check in self.liveness.conditions() if (found := check()) is not None]


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    """A fresh one."""
    return Bench(monkeypatch)


def test_a_chain_that_moves_is_healthy(bench: Bench) -> None:
    bench.blocks(50, 0)
    assert bench.states() == []


def test_a_chain_that_never_had_a_block_waits(bench: Bench) -> None:
    bench.now_s += 1_000
    assert bench.states() == []


def test_a_node_is_not_healthy_before_it_has_heard_how_far_the_chain_is(bench: Bench) -> None:
    bench.informed = False
    assert bench.states() == ["starting"]
    bench.now_s += 20
    assert bench.states() == [], "nobody may be there: a chain that never had a block waits"


def test_a_node_that_fetched_from_the_first_who_answered_has_not_heard_how_far_the_chain_is(bench: Bench) -> None:
    bench.informed = False
    bench.blocks(1, 0, every_s=0.01)
    assert bench.states() == ["starting"]


def test_an_empty_node_that_has_heard_is_behind_or_well(bench: Bench) -> None:
    bench.goal = FEW_BLOCKS + 1
    assert bench.states() == ["catching up"]
    bench.height = 1
    assert bench.states() == [], "it has blocks"


def test_a_standstill_names_who_is_seen(bench: Bench) -> None:
    bench.blocks(3, 0)
    bench.now_s += bench.liveness.allowed_s + 1
    found = bench.liveness.halted()
    assert found is not None and "4 of the 3" in found.sentence and "engines" in found.remedy
    bench.reach = Reach(2, 3)
    found = bench.liveness.halted()
    assert found is not None and "2 of the 3 validators that are needed are seen" in found.sentence
    assert "start the nodes" in found.remedy and bench.states() == ["halted"]
    bench.blocks(1, 0)
    assert bench.states() == []


def test_blocks_that_are_missing_are_counted(bench: Bench) -> None:
    bench.goal = FEW_BLOCKS
    assert bench.states() == []
    bench.goal = FEW_BLOCKS + 1
    found = bench.liveness.behind()
    assert found is not None and found.sentence == "it is 6 blocks behind its peers"
    bench.blocks(6, 0, every_s=0.01)
    assert bench.states() == []


def test_who_fetches_many_old_blocks_catches_up(bench: Bench) -> None:
    bench.blocks(50, 3_600_000, every_s=0.01)
    assert bench.states() == ["catching up"]


def test_who_fetches_old_blocks_is_behind_whatever_peers_have_said(bench: Bench) -> None:
    """A manager that began with an empty store said that it was healthy: one of its peers alone had said how far the
    chain was, and that one could lie."""
    bench.blocks(2, 3_600_000, every_s=0.01)
    found = bench.liveness.behind()
    assert found is not None and found.sentence == "it fetches old blocks, the last of 3600 s ago"
    bench.now_s += bench.liveness.allowed_s + 1
    assert bench.states() == ["halted"], "it gets no more"
    bench.blocks(2, 0, every_s=0.01)
    assert bench.states() == []


def test_a_chain_that_stops_after_two_blocks_at_once_fetches_nothing(bench: Bench) -> None:
    """Before it was `halted`, a node of a chain that had stopped said that it fetched old blocks."""
    bench.blocks(3, 3_000)
    bench.blocks(1, 3_000, every_s=0.01)
    bench.now_s += bench.liveness.allowed_s - 1
    assert bench.states() == []
    bench.now_s += 2
    assert bench.states() == ["halted"]


def test_a_node_whose_votes_do_not_count_is_told_and_no_other(store: SqliteStore) -> None:
    """One that was started with a wrong key said that it was healthy, and nothing else."""
    growing = Growing(store, make_genesis())
    for validator in growing.chain.validators.keys:
        assert no_validator(growing.chain, validator) is None
    found = no_validator(growing.chain, bytes(32))
    assert found is not None and found.state == NO_VALIDATOR and "`key`" in found.remedy
