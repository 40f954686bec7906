"""What nodes weigh, one rule after another as the text lists them (protocol sections 6 and 8, rules 7)."""

from __future__ import annotations

from harness.reference.state import NaiveState, require
from lucid.chain.codec import encode
from lucid.chain.errors import Code
from lucid.chain.genesis import Genesis
from lucid.chain.keys import Crypto
from lucid.chain.transactions import NodeCapacity, claim_message

Entry = list[int]


class NaiveWeights:
    """What nodes declare, and what they weigh by that and by what they proved."""

    def __init__(self, genesis: Genesis, crypto: Crypto) -> None:
        self.lifetime = genesis.parameters.transaction_lifetime_blocks
        self.chain_id = genesis.chain_id
        self.crypto = crypto

    def declare(self, state: NaiveState, capacity: NodeCapacity) -> None:
        """Judge a node's word on what it has room for, and keep it."""
        require(state.rules_version >= 7, Code.TX_RULES)
        require(state.active(capacity.node), Code.TX_NOT_MEMBER)
        require(capacity.tickets in range(1, 17), Code.TX_FIELD)
        require(capacity.height in range(state.height - self.lifetime, state.height), Code.TX_HOLDING_HEIGHT)
        message = claim_message(self.chain_id, capacity)
        require(self.crypto.verify(capacity.node, message, capacity.signature), Code.TX_SIGNATURE)
        number = state.number(capacity.node)
        assert number is not None, "it is a member"
        entries = self.entries(state, number + 1)
        require(entries[number][1] < capacity.height, Code.TX_HOLDING_HEIGHT)
        entries[number][:2] = capacity.tickets, capacity.height
        state.remember(b"o", encode((entries,)))

    @staticmethod
    def entries(state: NaiveState, reach: int) -> list[Entry]:
        """The row of weights, which reaches so many members."""
        [found] = state.decoded(b"o") or [[]]
        return [*found, *([1, 0, 1, 0] for _ in range(reach - len(found)))]

    @staticmethod
    def open(state: NaiveState, epoch: int) -> None:
        """An epoch opens: all members get their weights anew."""
        if state.rules_version < 7 or b"o" not in state.forever:
            return
        before = NaiveWeights.entries(state, len(state.members))
        proven = []
        for member in state.members:
            of, _, _, _, size = state.decoded(b"k" + member.key) or (0, 0, 0, 0, 0)
            proven.append(size if of == epoch - 1 else 0)
        counted = [number for number, member in enumerate(state.members) if not member.retired]
        middle = (len(counted) - 1) // 2
        yardstick = sorted(proven[number] // before[number][2] for number in counted)[middle]
        most = 4 * sorted(before[number][0] for number in counted)[middle]
        after = []
        for number, (declared, height, weight, since) in enumerate(before):
            new = weight
            if epoch >= since + 2 and 4 * proven[number] < weight * yardstick:
                new = max(1, weight // 2)
            elif epoch >= since + 2 and yardstick > 0:
                new = weight * 2
            new = min(new, declared, most) if number in counted else 1
            after.append([declared, height, new, since if new == weight else epoch])
        state.remember(b"o", encode((after,)))
