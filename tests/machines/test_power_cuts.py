"""Power cuts of all nodes at once, between any two stores: whoever can sign goes on within two timeouts."""

from __future__ import annotations

from contextlib import suppress
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lucid.chain.genesis import Genesis, GenesisNode, Parameters
from lucid.ledger.state import stored_ledger
from lucid.machines.effects import Effect, Store
from lucid.machines.limits import Limits
from sim.crypto import ModeledCrypto
from tests.golden.network import Network, Node, secret_of

GENESIS_MS = 1_700_000_000_000
INTERVAL_MS, TIMEOUT_MS = 10_000, 5_000


class PowerCut(Exception):
    """The power goes while a node performs an effect."""


class Grid:
    """A network whose power goes just before the store of a number, counted over all nodes."""

    def __init__(self, nodes: int) -> None:
        crypto = ModeledCrypto()
        secrets = [secret_of(number) for number in range(1, nodes + 1)]
        members = tuple([GenesisNode(crypto.public_key(each), f"n{n}") for n, each in enumerate(secrets)])
        genesis = Genesis(GENESIS_MS, members, parameters=Parameters()).check()
        self.network = Network(genesis, crypto, Limits(snapshot_blocks=1_000_000), self._watch)
        self.cut_at = -1
        self.stores = 0
        for number, secret in enumerate(secrets, 1):
            self.network.add(str(number), secret)
        for node in self.network.nodes.values():
            node.start()

    def _watch(self, node: Node, effect: Effect) -> None:
        if isinstance(effect, Store):
            self.stores += 1
            if self.stores == self.cut_at:
                raise PowerCut

    def lose_power(self, steps: int, muted: bool, chance: Random) -> None:
        """Run until the power goes, `steps` stores from now; messages sent at that moment are lost."""
        if muted:
            self.network.mutes.append(lambda envelope: chance.random() < 0.5)
        self.cut_at = self.stores + steps
        with suppress(PowerCut):
            self.network.advance(self.network.now_ms + 300_000, deliver=True)
        self.cut_at = -1
        for node in self.network.nodes.values():
            node.crash()
        self.network.pool.clear()
        self.network.mutes.clear()

    def restart(self, order: list[int], apart_ms: int) -> None:
        """Bring the nodes back in an order, one after the other."""
        nodes = list(self.network.nodes.values())
        for place in order:
            nodes[place].start()
            self.network.advance(self.network.now_ms + apart_ms, deliver=True)

    def height(self) -> int:
        """The lowest final height of the nodes that are up."""
        ledgers = [stored_ledger(node.manager_disk.safe) for node in self.network.nodes.values() if node.running]
        return min(ledger.core.head.height for ledger in ledgers if ledger is not None)


def resumes(grid: Grid, before: int) -> bool:
    """Whether the chain grows within two timeouts, and the interval after which a block is due."""
    grid.network.advance(grid.network.now_ms + 2 * TIMEOUT_MS + INTERVAL_MS, deliver=True)
    return grid.height() > before


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
