"""The `weighted` schedule: the leader of a slot drawn by the beacon, with a chance in proportion to its live score.

It is no rule of the protocol, whose schedule ranks by score (section 4): it is there to be compared with that one.
"""

from __future__ import annotations

import hashlib

from harness.policy import Ranking
from lucid.poot.schedule import eligible_entities, entity_members, entity_score


def weighted(ranking: Ranking) -> tuple[int, ...]:
    """Draw after draw, without putting back; there is no cooldown, chance stands in for it.

    Who has no score comes after all that have one, by the beacon. Who may not lead stays last, in the protocol's order.
    """
    members, tally = ranking.members, ranking.tally
    groups = entity_members(members, ranking.validators)
    able = set(eligible_entities(groups, tally, ranking.epoch, ranking.min_uptime_ppm))
    chances = {
        number: entity_score(tally, groups[members[number].entity])
        for number in sorted(ranking.order)
        if members[number].entity in able
    }
    last = [number for number in ranking.order if number not in chances]
    order: list[int] = []
    while total := sum(chances.values()):
        order.append(_drawn(chances, _number(ranking.beacon + len(order).to_bytes(4, "big")) % total))
        del chances[order[-1]]
    return (*order, *sorted(chances, key=lambda number: _number(ranking.beacon + members[number].key)), *last)


def _drawn(chances: dict[int, int], lot: int) -> int:
    """Whose lot it is, of all lots that the chances are."""
    for number, chance in chances.items():
        if lot < chance:
            return number
        lot -= chance
    raise AssertionError("a lot is below the sum of all chances")


def _number(seed: bytes) -> int:
    """256 bits, even enough below any sum of scores, which has 70 bits at most."""
    return int.from_bytes(hashlib.sha256(b"lucid weighted schedule" + seed).digest(), "big")
