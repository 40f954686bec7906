"""Who leads the first views of a run, where a scenario names them: in the machines and in the models alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FunctionType, ModuleType
from typing import Any

from harness.reference import chain
from harness.reference import recount as tally_recount
from harness.reference.schedule import turn as again
from lucid.ledger.turn import Turn


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

    _replace(Turn, "leader", ours)
    _replace(Turn, "missed", walked)
    for module in modules:
        assert vars(module)["turn"] is again, f"{module.__name__} does not say whose turn it is by `turn` any more"
        _replace(module, "turn", theirs)
    try:
        yield
    finally:
        _replace(Turn, "leader", leader)
        _replace(Turn, "missed", missed)
        for module in modules:
            _replace(module, "turn", again)


def _replace(owner: type | ModuleType, name: str, value: Any) -> None:
    """Put something in place of what a module or a class has under a name."""
    setattr(owner, name, value)
