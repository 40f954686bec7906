"""What drivers share in performing effects: each says of every kind what becomes of it, or that it never comes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TypeVar, get_args

from lucid.machines.effects import Effect

P = TypeVar("P")

KINDS: tuple[type, ...] = get_args(Effect)
"""Every kind of effect."""


def complete(performers: Mapping[type, P], elsewhere: Collection[type]) -> dict[type, P]:
    """A driver's performers by the kinds of effects; `elsewhere` are those that another part performs, or that its
    machine never returns. Raises `TypeError` unless they are all there are, each once: so whoever adds an effect meets
    every driver that does not know of it, before that has run anything."""
    lacking = [kind.__name__ for kind in KINDS if kind not in performers and kind not in elsewhere]
    twice = [kind.__name__ for kind in KINDS if kind in performers and kind in elsewhere]
    strange = [kind.__name__ for kind in (*performers, *elsewhere) if kind not in KINDS]
    for wrong, sentence in (
        (lacking, "has no performer for"),
        (twice, "performs what it leaves to others:"),
        (strange, "performs what is no effect:"),
    ):
        if wrong:
            raise TypeError(f"a driver {sentence} {', '.join(wrong)}")
    return dict(performers)
