"""Leader policies of one's own: who leads a slot, decided otherwise than by the protocol, to see what would follow."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any, NamedTuple

from harness.reference import chain
from harness.reference import recount as tally_recount
from harness.reference.schedule import ranking as recount
from lucid.ledger import turn
from lucid.poot.credits import Tally
from lucid.poot.members import Member
from lucid.poot.schedule import rank_entities as rank


class Ranking(NamedTuple):
    """What the leaders of a slot follow from: the epoch, the beacon, all members, the validators, the tally, and the
    protocol's order.

    `order` has member numbers, best first, one for each entity; who was there for less than `min_uptime_ppm` of the
    slots is not eligible, as long as others are enough.
    """

    epoch: int
    beacon: bytes
    members: Sequence[Member]
    validators: Sequence[int]
    tally: Tally
    order: tuple[int, ...]
    min_uptime_ppm: int


LeaderPolicy = Callable[[Ranking], Sequence[int]]
"""The order to lead in instead: the same member numbers. It must follow from its argument alone, or nodes disagree."""


@contextmanager
def led_by(policy: LeaderPolicy) -> Iterator[None]:
    """Have every node, and the naive second implementation, order leaders by a policy."""

    def ours(
        members: Sequence[Member], validators: Any, tally: Tally, epoch: int, beacon: bytes, leaders: Any, **rest: int
    ) -> tuple[int, ...]:
        order = rank(members, validators, tally, epoch, beacon, leaders, **rest)
        return _ordered(policy, Ranking(epoch, beacon, members, validators, tally, order, rest["min_uptime_ppm"]))

    def again(
        tally: Tally,
        members: Sequence[Member],
        validators: Any,
        leaders: Any,
        epoch: int,
        beacon: bytes,
        *,
        parameters: Any,
    ) -> list[int]:
        order = tuple(recount(tally, members, validators, leaders, epoch, beacon, parameters=parameters))
        least_ppm = parameters.min_uptime_ppm
        return list(_ordered(policy, Ranking(epoch, beacon, members, validators, tally, order, least_ppm)))

    replaced: list[tuple[ModuleType, str, Any, Any]] = [
        (turn, "rank_entities", rank, ours),
        (chain, "ranking", recount, again),
        (tally_recount, "ranking", recount, again),
    ]
    for module, name, old, new in replaced:
        assert getattr(module, name) is old, f"{module.__name__} does not rank by {name} any more"
        setattr(module, name, new)
    try:
        yield
    finally:
        for module, name, old, _ in replaced:
            setattr(module, name, old)


def _ordered(policy: LeaderPolicy, ranking: Ranking) -> tuple[int, ...]:
    order = tuple(policy(ranking))
    if sorted(order) != sorted(ranking.order):
        raise ValueError(f"a leader policy must order the members {sorted(ranking.order)}, it gave {list(order)}")
    return order
