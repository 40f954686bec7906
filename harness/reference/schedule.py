"""Where views lie and who leads them, recomputed plainly from the text of the protocol (section 4).

Part of the naive second implementation that checks the product's: it shares the product's records, none of its rules.
"""

from __future__ import annotations

from collections.abc import Sequence

from lucid.chain.hashing import rank_digest
from lucid.chain.parameters import Parameters
from lucid.ledger.rows import SlotLeaders
from lucid.poot.credits import Tally
from lucid.poot.members import Member
from lucid.poot.schedule import Schedule

ONE = 1_000_000


def slot_in_epoch(view: int, parameters: Parameters) -> int:
    """The slot of a view, counted within its epoch: -1 for view 0, and the last slot for views beyond the epoch."""
    if view == 0:
        return -1
    return min((view - 1) // parameters.slot_views, parameters.epoch_slots - 1)


def absolute_slot(epoch: int, view: int, parameters: Parameters) -> int:
    """The slot of a view, counted over all epochs."""
    return epoch * parameters.epoch_slots + slot_in_epoch(view, parameters)


def closes_epoch(view: int, parameters: Parameters) -> bool:
    """Whether a block of this view is its epoch's last."""
    return view >= parameters.epoch_slots * parameters.slot_views


def in_force(members: Sequence[Member]) -> list[int]:
    """Numbers of the members not retired, in the order of their keys: an epoch's validators when it opens."""
    keys = {member.key: number for number, member in enumerate(members) if not member.retired}
    return [keys[key] for key in sorted(keys)]


def uptime(tally: Tally, numbers: Sequence[int]) -> int:
    """Heartbeats of these members per slot that held a block, in ppm."""
    held = sum(tally.held[number] for number in numbers)
    beacons = sum(tally.beacons[number] for number in numbers)
    return 0 if held == 0 else min(ONE, beacons * ONE // held)


def score(tally: Tally, numbers: Sequence[int]) -> int:
    """What these members' work counts for together."""
    credits = sum(tally.credits[number] for number in numbers)
    penalty = min(tally.penalty_ppm[number] for number in numbers)
    return credits * uptime(tally, numbers) // ONE * penalty // ONE


def ranking(
    tally: Tally,
    members: Sequence[Member],
    validators: Sequence[int],
    leaders: Sequence[SlotLeaders],
    epoch: int,
    beacon: bytes,
    *,
    parameters: Parameters,
) -> list[int]:
    """The order of a slot: one proposing member for each entity, best first.

    All arguments are those of the last block before the slot, with `epoch` opened if that block closed its own.
    """
    entities: dict[bytes, list[int]] = {}
    for number in validators:
        entities.setdefault(members[number].entity, []).append(number)

    honest = [
        entity
        for entity, numbers in entities.items()
        if not any(epoch < tally.evidence_until[number] for number in numbers)
    ]
    eligible = [entity for entity in honest if uptime(tally, entities[entity]) >= parameters.min_uptime_ppm]
    if sum(len(entities[entity]) for entity in eligible) < 2 * len(validators) // 3 + 1:
        eligible = honest
    cooldown = max(0, min(parameters.cooldown_slots, len(eligible) - 1))
    last = leaders[-cooldown:] if cooldown else []
    cooling = {members[number].entity for slot in last for number in slot.members}

    def place(entity: bytes) -> tuple[int, int, bytes]:
        rank = rank_digest(beacon + entity)
        if entity not in honest:
            return 3, 0, rank
        if entity not in eligible:
            return 2, -score(tally, entities[entity]), rank
        return (1 if entity in cooling else 0), -score(tally, entities[entity]), rank

    def proposer(entity: bytes) -> int:
        return min(
            entities[entity], key=lambda number: (-score(tally, [number]), rank_digest(beacon + members[number].key))
        )

    return [proposer(entity) for entity in sorted(entities, key=place)]


def new_schedule(view: int, parent_slot: int, epoch: int, order: Sequence[int], parameters: Parameters) -> Schedule:
    """The schedule of the slot of `view`, which holds no block yet.

    `parent_slot` counts within the epoch: -1 if the parent closed the epoch before, or is genesis.
    """
    slot = slot_in_epoch(view, parameters)
    return Schedule(epoch * parameters.epoch_slots + slot, tuple(order), slot - parent_slot - 1, 0)


def turn(view: int, schedule: Schedule, parameters: Parameters) -> int:
    """Number of the member that leads `view` by the schedule of its slot."""
    offset = view - 1 - slot_in_epoch(view, parameters) * parameters.slot_views
    missed = offset - schedule.held + parameters.slot_views * schedule.skipped
    return schedule.order[missed % len(schedule.order)]
