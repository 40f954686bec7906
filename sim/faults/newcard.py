"""A new card in place of a node's old one, onto which its vote log was copied or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from lucid.machines.votelog import KEPT_KEY, LATEST_KEY, VOTES_TABLE
from sim.disk import Disk
from sim.faults.fault import NodeFault

if TYPE_CHECKING:
    from sim.node import Node


Votes = Literal["kept", "lost"]


def new_card(node: Node, votes: Votes) -> None:
    """Give a node that is down empty disks, onto which its vote log was copied, or not."""
    log = [(VOTES_TABLE, key, node.engine_disk.peek(VOTES_TABLE, key)) for key in (LATEST_KEY, KEPT_KEY)]
    node.manager_disk, node.engine_disk = Disk(), Disk()
    if votes == "kept":
        node.engine_disk.write(log)
        node.engine_disk.sync()


def replace_card(node: Node, fault: NodeFault, votes: Votes) -> None:
    """Give a node a new card in place of the one that `fault` damaged."""
    node.hold(fault)
    new_card(node, votes)
    node.rotten.remove(fault)
    node.release(fault)
