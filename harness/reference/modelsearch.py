"""A search of every state that the model can reach."""

from __future__ import annotations

from typing import NamedTuple

from harness.reference.model import Model, State


class ModelSearch(NamedTuple):
    """What a search came to: states, depth, finality seen in how many, and the steps to the first disagreement."""

    states: int
    depth: int
    final: int
    trail: tuple[State, ...]


def search(model: Model, most: int = 10_000_000) -> ModelSearch:
    """Breadth first through every state that can be reached, up to the first disagreement, which no shorter way has.

    Raises `OverflowError` beyond `most` states, so that what was not exhausted is never taken for what was.
    """
    came: dict[State, State | None] = {model.start: None}
    layer, depth, final = [model.start], 0, 0
    while layer:
        following = []
        for state in layer:
            if model.final(state):
                final += 1
                if model.disagreement(state) is not None:
                    return ModelSearch(len(came), depth, final, _trail(came, state))
            for after in model.steps(state):
                if after not in came:
                    came[after] = state
                    following.append(after)
        if len(came) > most:
            raise OverflowError(f"more than {most:,} states")
        layer, depth = following, depth + 1
    return ModelSearch(len(came), depth - 1, final, ())


def _trail(came: dict[State, State | None], state: State) -> tuple[State, ...]:
    trail = [state]
    while (before := came[trail[-1]]) is not None:
        trail.append(before)
    return tuple(reversed(trail))
