"""Connections between the nodes of a devnet that can be cut, or delayed: each goes through a relay of its own."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial

from harness.soak.relay import Relay


class Links:
    """A relay for every ordered pair of nodes, by their numbers."""

    def __init__(self, ports: list[int], delay: Callable[[int, int], float] | None = None) -> None:
        """`ports` are where the nodes listen for each other; `delay` draws the seconds that a piece takes from a node
        to another one."""
        self._parted: frozenset[tuple[int, int]] = frozenset()
        self._relays = {
            (from_, to): Relay(port)
            if delay is None
            else Relay(port, partial(delay, from_, to), partial(delay, to, from_))
            for from_ in range(len(ports))
            for to, port in enumerate(ports)
            if from_ != to
        }

    def port(self, from_: int, to: int) -> int:
        """Where one node dials another."""
        return self._relays[from_, to].port

    def cut(self, node: int, silently: bool) -> None:
        """Cut a node off from all others."""
        for pair, relay in self._relays.items():
            if node in pair:
                relay.cut(silently)

    def mend(self, node: int) -> None:
        """Connect it again."""
        for pair, relay in self._relays.items():
            if node in pair:
                relay.mend()

    def part(self, pairs: Collection[tuple[int, int]]) -> None:
        """Hold what goes between these pairs, and nothing else."""
        self._parted = frozenset(pairs)
        for pair, relay in self._relays.items():
            if pair in self._parted:
                relay.cut(silently=True)
            else:
                relay.mend()

    def reset(self, node: int) -> None:
        """End all connections of a node that are not held, which may be made anew at once."""
        for pair, relay in self._relays.items():
            if node in pair and pair not in self._parted:
                relay.cut(silently=False)
                relay.mend()

    def close(self) -> None:
        """End all relays."""
        for relay in self._relays.values():
            relay.close()
