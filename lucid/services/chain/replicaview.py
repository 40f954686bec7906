"""What the chain knows of the copies of sessions, for a node's other services (protocol section 8, Holdings)."""

from __future__ import annotations

from lucid.chain.codec import decode
from lucid.chain.transactions import SessionAnchor
from lucid.chain.versions import HOLDING_RULES, PROOF_RULES
from lucid.ledger.proofs import open_challenge
from lucid.ledger.replicas import held_ranges, session_replicas
from lucid.ledger.rows import (
    HoldingEntry,
    MandateEntry,
    SessionEntry,
    anchored_key,
    due_key,
    holding_key,
    mandate_key,
    receipt_key,
)
from lucid.machines.chain import Chain
from lucid.services.chunks.chaincopies import Holder, OnChain
from lucid.services.chunks.proving import AskedProofs
from lucid.services.chunks.relayonchain import RelayOnChain


class ReplicaView:
    """The copies of sessions as of the last final block."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain

    def replicas(self, session: bytes, owner: bytes, node: bytes) -> OnChain | None:
        """What the chain knows of a session's copies, and of those at `node`; None if it is not anchored."""
        root = self._chain.tree.root
        found = session_replicas(root.ledger, session, owner)
        if found is None:
            return None
        return OnChain(
            height=root.height,
            chunks=found.chunks,
            root=found.root.hex(),
            copies=found.copies,
            wanted=found.wanted,
            holders=tuple([Holder(key.hex(), count) for key, count in found.holders]),
            here=held_ranges(root.ledger, session, owner, node),
            rules=self._chain.rules.version,
            provable=self._provable(session, owner, node),
        )

    def _provable(self, session: bytes, owner: bytes, node: bytes) -> bool:
        """Whether what a node said last may be proven; if not, it is to say it anew."""
        ledger = self._chain.tree.root.ledger
        if ledger.core.rules.version < PROOF_RULES or not held_ranges(ledger, session, owner, node):
            return True
        return ledger.row(due_key(session, owner, node)) is not None

    def challenge(self, session: bytes, owner: bytes, node: bytes, epoch_views: int) -> AskedProofs | None:
        """What a node is to show of a session in this epoch; None where nothing is asked (any more)."""
        root = self._chain.tree.root
        asked = open_challenge(root.ledger, epoch_views, node, session, owner)
        if asked is None:
            return None
        return AskedProofs(
            height=root.height,
            epoch=asked.epoch,
            root=asked.session.root.hex(),
            chunks=asked.session.chunks,
            draws=asked.draws,
        )

    def relay(self, session: bytes, owner: bytes, node: bytes) -> RelayOnChain | None:
        """What the chain knows of a session's relay, and whether `node` may still sign for what came from there; None
        if it is not anchored."""
        root = self._chain.tree.root
        ledger = root.ledger
        anchored, mandate = ledger.row(anchored_key(session, owner)), ledger.row(mandate_key(session, owner))
        if anchored is None:
            return None
        relay = b"" if mandate is None else decode(mandate, MandateEntry).relay
        row = ledger.row(holding_key(session, owner, node))
        said = HoldingEntry(0, ()) if row is None else decode(row, HoldingEntry)
        settled = ledger.row(receipt_key(session, owner, node)) is not None
        lifetime = self._chain.parameters.transaction_lifetime_blocks
        return RelayOnChain(
            height=root.height,
            relay=relay.hex(),
            open=root.height < decode(anchored, SessionEntry).height + lifetime,
            said=said.height,
            ranges=said.ranges,
            owed=bool(said.ranges) and relay not in {b"", node} and not settled,
        )

    def copies(self, session: bytes, owner: bytes) -> tuple[int | None, int | None]:
        """How many nodes said that they hold each chunk of a session, and how many should; None before rules 3."""
        found = session_replicas(self._chain.tree.root.ledger, session, owner)
        if found is None or self._chain.rules.version < HOLDING_RULES:
            return None, None
        return found.copies, found.wanted

    def anchored(self, first: int, last: int) -> list[str]:
        """The sessions (id and owner) in the final blocks of these heights, both included."""
        blocks = (self._chain.block_at(height) for height in range(first, last + 1))
        return [
            payload.identity.hex()
            for block in blocks
            if block is not None
            for transaction in block.transactions
            if isinstance(payload := transaction.payload, SessionAnchor)
        ]
