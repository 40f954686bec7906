"""How a fault acts on a world while it is on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sim.sending import DeliverHook, SendHook

if TYPE_CHECKING:
    from lucid.machines.effects import Effect
    from sim.node import Node
    from sim.runner import Runner


EffectHook = Callable[["Runner", "Effect"], "Effect | None"]
StartHook = Callable[["Node"], None]


def _nothing() -> None:
    """The end of a fault that leaves nothing to undo."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Hooks:
    """How a fault acts while it is on.

    cut: (sender, receiver) pairs between which nothing passes. held: pairs over whose link, which stays, nothing comes.
    send: (sender, sending) -> what leaves instead.
    deliver: (receiver, event) -> what is heard instead, None for nothing. effect: (runner, effect) -> what is performed
    instead, None for nothing; called for each effect of `nodes` before it is performed. start: called with a node of
    `nodes` before its machines start. end: undoes what `begin` did.
    """

    cut: frozenset[tuple[int, int]] = frozenset()
    held: frozenset[tuple[int, int]] = frozenset()
    send: SendHook | None = None
    deliver: DeliverHook | None = None
    effect: EffectHook | None = None
    start: StartHook | None = None
    nodes: frozenset[int] = frozenset()
    end: Callable[[], None] = _nothing
