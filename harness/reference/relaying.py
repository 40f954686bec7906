"""Relays, one rule after another as the text lists them (protocol sections 5 and 6, rules 6)."""

from __future__ import annotations

from harness.reference.state import NaiveState, require
from lucid.chain.codec import encode
from lucid.chain.errors import Code
from lucid.chain.genesis import Genesis
from lucid.chain.keys import Crypto
from lucid.chain.transactions import RelayMandate, RelayReceipt, claim_message


class NaiveRelays:
    """Relays that owners name, and receipts for what came from there."""

    def __init__(self, genesis: Genesis, crypto: Crypto) -> None:
        self.lifetime = genesis.parameters.transaction_lifetime_blocks
        self.chain_id = genesis.chain_id
        self.crypto = crypto

    def name(self, state: NaiveState, mandate: RelayMandate) -> None:
        """Judge an owner's word on who its session's relay is, and keep it."""
        require(state.rules_version >= 6, Code.TX_RULES)
        require(state.active(mandate.relay), Code.TX_NOT_MEMBER)
        message = claim_message(self.chain_id, mandate)
        require(self.crypto.verify(mandate.owner, message, mandate.signature), Code.TX_SIGNATURE)
        session = state.decoded(b"s" + mandate.session + mandate.owner)
        require(session is not None, Code.SESSION_UNKNOWN)
        require(state.height - session[0] <= self.lifetime, Code.TX_RELAY_STALE)
        key = b"m" + mandate.session + mandate.owner
        require(key not in state.forever, Code.TX_RELAY_TWICE)
        state.remember(key, encode((mandate.relay,)))

    def receive(self, state: NaiveState, receipt: RelayReceipt) -> None:
        """Judge a node's word on what came from the relay, and keep it."""
        require(state.rules_version >= 6, Code.TX_RULES)
        require(state.active(receipt.node), Code.TX_NOT_MEMBER)
        require(receipt.node != receipt.relay and receipt.chunks >= 1, Code.TX_FIELD)
        message = claim_message(self.chain_id, receipt)
        require(self.crypto.verify(receipt.node, message, receipt.signature), Code.TX_SIGNATURE)
        session = receipt.session + receipt.owner
        require(b"s" + session in state.forever, Code.SESSION_UNKNOWN)
        require(state.decoded(b"m" + session) == [receipt.relay], Code.TX_RELAY_OTHER)
        require(b"l" + session + receipt.node not in state.forever, Code.TX_RELAY_TWICE)
        height, ranges = state.decoded(b"q" + session + receipt.node) or (None, ())
        require(height == receipt.height and len(ranges) > 0, Code.TX_RELAY_STALE)
        held = sum(len(range(first, first + count)) for first, count in ranges)
        require(receipt.chunks <= held, Code.TX_RELAY_CLAIM)
        state.remember(b"l" + session + receipt.node, encode((receipt.chunks,)))

    @staticmethod
    def owed(state: NaiveState, node: bytes, session: bytes, share: int, held: int) -> tuple[bytes | None, int, int]:
        """The relay of a copy whose first proof this is, what the node leaves of it, and what of that is the relay's;
        from then on the copy is settled."""
        mandate, receipt = state.decoded(b"m" + session), state.decoded(b"l" + session + node)
        if mandate is None or mandate[0] == node or receipt == [0]:
            return None, 0, 0
        state.remember(b"l" + session + node, encode((0,)))
        came = 0 if receipt is None else min(receipt[0], held)
        return mandate[0], share, share * came // held

    @staticmethod
    def paid(state: NaiveState, node: bytes) -> int:
        """What a node got as a relay in this epoch."""
        epoch, credits = state.decoded(b"g" + node) or (state.epoch, 0)
        return int(credits) if epoch == state.epoch else 0

    @staticmethod
    def pay(state: NaiveState, node: bytes, more: int) -> None:
        """Note that a node got so much more."""
        state.remember(b"g" + node, encode((state.epoch, NaiveRelays.paid(state, node) + more)))
