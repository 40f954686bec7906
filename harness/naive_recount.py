"""The tally recomputed from nothing but the blocks of a chain: every event counted, no row, no sum kept (section 5)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from msgspec import structs

from harness.naive_schedule import ONE, absolute_slot, closes_epoch, in_force, new_schedule, ranking, slot_in_epoch, turn
from lucid.chain.blocks import Block
from lucid.chain.certificates import signer_places
from lucid.chain.genesis import Genesis
from lucid.chain.transactions import Equivocation, RegisterNode, RetireNode, UptimeBeacon
from lucid.ledger.rows import SlotLeaders
from lucid.poot.credits import Member, Tally
from lucid.poot.schedule import Schedule


def recount(genesis: Genesis, blocks: Sequence[Block]) -> Tally:
    """The tally after the last of `blocks`, which are valid and follow each other from genesis."""
    history = _History(genesis)
    for block in blocks:
        history.add(block)
    return history.tally()


class _History:
    """All that the blocks so far say about who did what; events are kept for ever and judged when they are counted."""

    def __init__(self, genesis: Genesis) -> None:
        self.parameters = genesis.parameters
        self.members = [Member(node.key, node.name, node.pool, 0, False) for node in genesis.nodes]
        self.sets = {0: in_force(self.members)}
        self.votes: Counter[tuple[int, int]] = Counter()
        self.heartbeats: Counter[tuple[int, int]] = Counter()
        self.evidence: list[tuple[int, int]] = []
        self.misses: list[tuple[int, int]] = []
        self.slots: dict[bytes, int] = {genesis.chain_id: -1}
        self.makers: list[SlotLeaders] = []
        self.epoch = self.view = 0
        self.slot = -1
        self.beacon = b""
        self.schedule = Schedule(-1, tuple(self.sets[0]), 0, 0)
