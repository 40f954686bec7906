"""The scope of an exploration: which network, how far, what may go wrong."""

from __future__ import annotations

from typing import NamedTuple

SILENT = -1
"""In place of a Byzantine validator: all are honest."""


class ExploreScope(NamedTuple):
    """`nodes` validators in the order in which they lead, the one at `byzantine` a traitor (`SILENT` if none is).

    Views from 1 to `views` are explored; each honest node may crash `crashes` times; where the traitor leads it puts
    `blocks` forward on each parent.
    """

    nodes: int = 4
    views: int = 2
    crashes: int = 1
    byzantine: int = 0
    blocks: int = 2
