"""Who leads the views on one parent: the schedule of each slot as that parent's chain fixes it (protocol section 4)."""

from __future__ import annotations

from lucid.chain.parameters import Parameters
from lucid.ledger.rows import (
    Head,
)
from lucid.ledger.state import Ledger
from lucid.poot.credits import opened_tally
from lucid.poot.schedule import Schedule, rank_entities


def closes_epoch(head: Head, parameters: Parameters) -> bool:
    """Whether the block that left this head is at or beyond its epoch's last view."""
    return head.view >= parameters.epoch_views


def slot_in_epoch(view: int, parameters: Parameters) -> int:
    """The slot that holds a view; views beyond the epoch's last belong to its last slot, view 0 to none (-1)."""
    return min((view - 1) // parameters.slot_views, parameters.epoch_slots - 1) if view else -1


class Turn:
    """Who leads the views on one parent: the schedule of each slot as that parent's chain fixes it."""

    __slots__ = ("_ledger", "_parameters", "epoch", "parent_slot", "parent_view")

    def __init__(self, ledger: Ledger, parameters: Parameters, repeat: bool = False) -> None:
        """Turns of blocks built on `ledger`; with `repeat`, of views in which the closing block itself comes again."""
        head = ledger.core.head
        opening = closes_epoch(head, parameters) and not repeat
        self._ledger = ledger
        self._parameters = parameters
        self.epoch = head.epoch + 1 if opening else head.epoch
        self.parent_view = 0 if opening else head.view
        self.parent_slot = slot_in_epoch(self.parent_view, parameters)

    def schedule(self, view: int) -> Schedule:
        """The schedule in force for `view`; its `slot` counts over all epochs."""
        slot = slot_in_epoch(view, self._parameters)
        # Fixed by the last block before the slot (section 4): later blocks of it must not change who leads in it.
        if slot == self.parent_slot:
            return self._ledger.core.schedule
        orders = self._ledger.core.orders
        order = orders.get(self.epoch)
        if order is None:
            # Ranked once a ledger: every view that is asked about in an epoch shares it, skipped slots or not.
            order = orders[self.epoch] = self._rank()
        absolute = self.epoch * self._parameters.epoch_slots + slot
        return Schedule(absolute, order, slot - self.parent_slot - 1, 0)

    def leader(self, view: int) -> int:
        """Number of the member that leads `view` if its block is built on this parent."""
        slot = slot_in_epoch(view, self._parameters)
        offset = view - 1 - slot * self._parameters.slot_views
        return self.schedule(view).leader(offset, self._parameters.slot_views)

    @property
    def slot_views_left(self) -> int:
        """How many views after the parent's are of the slot that the next one belongs to."""
        slot = slot_in_epoch(self.parent_view + 1, self._parameters)
        return max(1, (slot + 1) * self._parameters.slot_views - self.parent_view)

    def missed(self, view: int) -> dict[int, int]:
        """How many of the views strictly between the parent's and `view` each member leads on this parent.

        Counted, not walked: a header may name any view, and this is worked out before anyone has vouched for it.
        """
        size, slot = self._parameters.slot_views, self.parent_slot
        first, last = self.parent_view + 1, view - 1
        # The views from here on belong to slots after the parent's, if there are any.
        later = (slot + 1) * size + 1 if slot < self._parameters.epoch_slots - 1 else view
        counts: dict[int, int] = {}
        if slot >= 0:
            schedule = self._ledger.core.schedule
            turn = first - 1 - slot * size - schedule.held + size * schedule.skipped
            _count_turns(counts, schedule.order, turn, min(last, later - 1) - first + 1)
        start = max(first, later)
        if start <= last:
            # A slot's first turn follows the last turn of the slot before: both are skipped as a whole.
            _count_turns(counts, self.schedule(start).order, start - 1 - size * (slot + 1), last - start + 1)
        return counts

    def _rank(self) -> tuple[int, ...]:
        core, parameters = self._ledger.core, self._parameters
        tally, validators = core.tally, core.roster.validators
        # Step by step what the next epoch's first block will do itself, or it would have another leader.
        if self.epoch != core.head.epoch:
            tally = opened_tally(tally)
            validators = core.roster.next_validators()
        return rank_entities(
            core.roster.members,
            validators,
            tally,
            self.epoch,
            core.head.beacon,
            [leaders.members for leaders in core.head.leaders],
            cooldown_slots=parameters.cooldown_slots,
            min_uptime_ppm=parameters.min_uptime_ppm,
        )


def _count_turns(counts: dict[int, int], order: tuple[int, ...], turn: int, views: int) -> None:
    """Add the leaders of so many views in a row, of which the first has the number `turn` in an order."""
    rounds, rest = divmod(max(views, 0), len(order))
    for place, number in enumerate(order):
        times = rounds + ((place - turn) % len(order) < rest)
        if times:
            counts[number] = counts.get(number, 0) + times
