"""The leader schedule of a slot: entities by standing and live score, and whose turn a view is (protocol section 4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from lucid.chain.codec import Record
from lucid.chain.hashing import rank_digest
from lucid.poot.credits import Tally, live_score, uptime_ppm
from lucid.poot.members import Member

ELIGIBLE, COOLING, INELIGIBLE, UNDER_EVIDENCE = range(4)
"""The groups of step 4 of *Who leads* (section 4), best first."""


class Schedule(Record):
    """Who may lead in `slot`, best first, as member numbers; one entry an entity.

    `skipped` counts the wholly skipped slots right before, `held` the blocks that the slot has so far.
    """

    slot: int
    order: tuple[int, ...]
    skipped: int
    held: int

    def leader(self, offset: int, slot_views: int) -> int:
        """Number of the member that leads the view at `offset` from the slot's first, on this chain."""
        # A block takes its view out of the count, so one miss moves the rest of the slot to the next in rank, and slots
        # that were skipped whole go on where they ended: no set of dead nodes stalls the chain.
        turn = offset - self.held + slot_views * self.skipped
        return self.order[turn % len(self.order)]


class RankedEntity(NamedTuple):
    """An entity's place in the ranking: lower sorts first."""

    group: int
    negative_score: int
    rank: bytes
    proposer: int


def entity_members(members: Sequence[Member], validators: Sequence[int]) -> dict[bytes, list[int]]:
    """Validators grouped by entity, in validator order."""
    groups: dict[bytes, list[int]] = {}
    for number in validators:
        groups.setdefault(members[number].entity, []).append(number)
    return groups


def rank_entities(
    members: Sequence[Member],
    validators: Sequence[int],
    tally: Tally,
    epoch: int,
    beacon: bytes,
    leaders: Sequence[Sequence[int]],
    *,
    cooldown_slots: int,
    min_uptime_ppm: int,
) -> tuple[int, ...]:
    """Order the entities of a slot and return each one's proposing member.

    `leaders` holds, for the last slots with a block, oldest first, the members whose entities were primary or made a
    block; of these the last min(cooldown, eligible - 1) put their entities in cooldown.
    """
    groups = entity_members(members, validators)
    eligible = eligible_entities(groups, tally, epoch, min_uptime_ppm)
    # One entity at least stays fresh: a network of few would run out of leaders.
    cooldown = min(cooldown_slots, len(eligible) - 1)
    recent = leaders[-cooldown:] if cooldown > 0 else ()
    cooling = {members[number].entity for numbers in recent for number in numbers}
    able = set(eligible)
    standings = []
    for entity, numbers in groups.items():
        if under_evidence(tally, numbers, epoch):
            group = UNDER_EVIDENCE
        elif entity not in able:
            group = INELIGIBLE
        else:
            group = COOLING if entity in cooling else ELIGIBLE
        # Credits of who signed two ways must not buy the first place among those who did the same.
        score = 0 if group == UNDER_EVIDENCE else entity_score(tally, numbers)
        # Equal scores are ordered by the beacon, which nobody knew when the work was done.
        standings.append(
            RankedEntity(group, -score, rank_digest(beacon + entity), _proposer(members, tally, numbers, beacon))
        )
    return tuple(standing.proposer for standing in sorted(standings))


def under_evidence(tally: Tally, numbers: Sequence[int], epoch: int) -> bool:
    """Whether one of an entity's members has signed what nobody may sign, and still pays for it."""
    return any(epoch < tally.evidence_until[number] for number in numbers)


def eligible_entities(
    groups: Mapping[bytes, Sequence[int]], tally: Tally, epoch: int, min_uptime_ppm: int
) -> list[bytes]:
    """The entities that may lead, in the order of `groups`, which holds all validators."""
    # Whatever their uptime: at genesis nobody has any yet (step 2 of *Who leads*).
    innocent = [entity for entity, numbers in groups.items() if not under_evidence(tally, numbers, epoch)]
    eligible = [entity for entity in innocent if _uptime(tally, groups[entity]) >= min_uptime_ppm]
    # Where fewer than a quorum are in order, leading would rest on a few: then all without evidence may.
    quorum = 2 * sum(len(numbers) for numbers in groups.values()) // 3 + 1
    return eligible if sum(len(groups[entity]) for entity in eligible) >= quorum else innocent


def entity_score(tally: Tally, numbers: Sequence[int]) -> int:
    """What the work of an entity's members is worth together."""
    credits = sum(tally.credits[number] for number in numbers)
    # The whole pool pays for a miss; else it would send its least valued member forward to miss.
    return live_score(credits, _uptime(tally, numbers), min(tally.penalty_ppm[number] for number in numbers))


def _uptime(tally: Tally, numbers: Sequence[int]) -> int:
    return uptime_ppm(sum(tally.beacons[number] for number in numbers), sum(tally.held[number] for number in numbers))


def _proposer(members: Sequence[Member], tally: Tally, numbers: Sequence[int], beacon: bytes) -> int:
    """The member of an entity with the best score of its own; equal scores are ordered by the beacon."""
    if len(numbers) == 1:
        return numbers[0]
    return min(
        numbers,
        key=lambda number: (
            -live_score(tally.credits[number], _uptime(tally, (number,)), tally.penalty_ppm[number]),
            rank_digest(beacon + members[number].key),
        ),
    )
