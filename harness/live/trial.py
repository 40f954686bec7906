"""A node of Lucid that is being tried: what it is, and what one check leaves to the next."""

from __future__ import annotations

from dataclasses import dataclass, field

from smoke.live.node import Node
from smoke.live.underway import Run


@dataclass
class NodeTrial:
    """A run under way, and what one check leaves to the next."""

    run: Run
    api_token: str
    blocks: int
    sessions: list[str] = field(default_factory=list)
    chunk: str = ""
    steady_since: int = 0
    """The height after which nothing that was done to the node could delay a block."""

    @property
    def node(self) -> Node:
        """What is tried."""
        return self.run.node

    @property
    def writer(self) -> dict[str, str]:
        """Headers of who may write."""
        return {"Authorization": f"Bearer {self.api_token}"}
