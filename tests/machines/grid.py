"""Power cuts of a network of real machines, before any store of any node: `python -m tests.machines.grid 10000`.

Nodes and crash points are taken by turns, n = 1 to 7 and each store of about two views; which messages are lost, and in
what order the nodes come back, is drawn.
"""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from random import Random

from lucid.chain.genesis import Genesis, GenesisNode
from lucid.chain.parameters import Parameters
from lucid.ledger.state import stored_ledger
from lucid.machines.effects import Effect, Store
from lucid.machines.limits import Limits
from sim.crypto import ModeledCrypto
from tests.golden.network import Network, Node, secret_of

GENESIS_MS = 1_700_000_000_000
INTERVAL_MS, TIMEOUT_MS = 10_000, 5_000
STORES = 14
"""Stores of one node in about two views."""
CUTS = 12
"""Cuts of one network, one after the other."""


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


def crash_points(nodes: int) -> range:
    """Each store of about two views, counted from now on over all nodes."""
    return range(1, STORES * nodes + 1)


def cut_again_and_again(number: int) -> tuple[int, list[int], str]:
    """Some cuts of one network; returns how many nodes it has, the crash points, and what was stuck, if anything."""
    nodes, muted, chance = number % 7 + 1, bool(number // 7 % 2), Random(number)
    grid = Grid(nodes)
    grid.network.advance(25_000, deliver=True)
    # All points of a size come before any comes again.
    points = list(crash_points(nodes))
    Random(nodes + 7 * (number // 7 * CUTS // len(points))).shuffle(points)
    done: list[int] = []
    for each in range(CUTS):
        steps = points[(number // 7 * CUTS + each) % len(points)]
        grid.lose_power(steps, muted, chance)
        order = chance.sample(range(nodes), nodes)
        grid.restart(order, 0)
        done.append(steps)
        if not resumes(grid, grid.height()):
            return nodes, done, f"{nodes} nodes, network {number}: stuck after a cut {steps} stores on, back in {order}"
    return nodes, done, ""


def main(least: int) -> int:
    """Cut the power so many times; the status is 1 if any network was stuck."""
    began, number, cuts, stuck = time.process_time(), 0, 0, 0
    seen: set[tuple[int, int]] = set()
    while cuts < least:
        nodes, done, said = cut_again_and_again(number)
        number, cuts = number + 1, cuts + len(done)
        seen.update((nodes, each) for each in done)
        if said:
            stuck += 1
            print(said, flush=True)
    points = sum(len(crash_points(nodes)) for nodes in range(1, 8))
    taken_s = time.process_time() - began
    print(f"{cuts:,} power cuts at {len(seen)} of {points} crash points, {stuck} stuck, {taken_s:.0f} s of a core")
    return bool(stuck)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
