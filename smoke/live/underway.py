"""A run of the live checks under way: the node, and what is known of it."""

from __future__ import annotations

from dataclasses import dataclass

from smoke.live.node import Node, Recipe

EMULATED = 4.5
"""How much longer a start may take where the images' processor is emulated."""


@dataclass
class Run:
    """A run under way: the product, the node, and what is known of it."""

    node: Node
    product: Recipe
    started: bool = False
    """Whether all were healthy once."""
    healthy_at: float = 0.0
    """When that was seen first, in seconds by this machine's clock."""

    @property
    def start_s(self) -> float:
        """How long a start may take here."""
        return self.product.start_s * (EMULATED if self.node.emulated else 1)
