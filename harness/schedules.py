"""The schedules that a scenario can name, and how a run is led by one of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import FunctionType, ModuleType
from typing import Any

from harness.policy import LeaderPolicy, led_by
from harness.reference import chain
from harness.reference import recount as tally_recount
from harness.reference.schedule import turn as again
from harness.weighted import weighted
from lucid.ledger.turn import Turn

SCHEDULES: dict[str, LeaderPolicy | None] = {"ranked": None, "weighted": weighted}
"""What orders the leaders of a slot, by `schedule` of a scenario; None is the protocol itself."""


@contextmanager
def led_in_turn(leaders: Sequence[int]) -> Iterator[None]:
    """Have these members lead the first views of epoch 0, whatever is built on; then who leads by the schedule."""
    if not leaders:
        yield
        return
    assert isinstance(vars(Turn)["leader"], FunctionType), "compiled, `Turn` would be asked past what replaces it"
    leader, missed, modules = Turn.leader, Turn.missed, (chain, tally_recount)

    def ours(turn: Turn, view: int) -> int:
        return leaders[view - 1] if not turn.epoch and view <= len(leaders) else leader(turn, view)

    def walked(turn: Turn, view: int) -> dict[int, int]:
        return dict(Counter(ours(turn, each) for each in range(turn.parent_view + 1, view)))

    def theirs(view: int, schedule: Any, parameters: Any) -> int:
        first = schedule.slot < parameters.epoch_slots
        return leaders[view - 1] if first and view <= len(leaders) else again(view, schedule, parameters)

    replace(Turn, "leader", ours)
    replace(Turn, "missed", walked)
    for module in modules:
        assert vars(module)["turn"] is again, f"{module.__name__} does not say whose turn it is by `turn` any more"
        replace(module, "turn", theirs)
    try:
        yield
    finally:
        replace(Turn, "leader", leader)
        replace(Turn, "missed", missed)
        for module in modules:
            replace(module, "turn", again)


def replace(owner: type | ModuleType, name: str, value: Any) -> None:
    """Put something in place of what a module or a class has under a name."""
    setattr(owner, name, value)


def led_as(schedule: str, policy: LeaderPolicy | None = None) -> AbstractContextManager[None]:
    """Have a run led by the schedule that its scenario names, or by a policy that a program gives instead."""
    chosen = SCHEDULES[schedule] if policy is None else policy
    return nullcontext() if chosen is None else led_by(chosen)
