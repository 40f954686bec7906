"""Storage proofs in the ledger: which sessions of a node are challenged, and what an answer is worth (section 5).

What a node says that it holds may be proven from the next epoch on, once in each: the beacon that draws is made by that
epoch's first block, so whoever says what it holds does not know it. A node's row counts its sessions, so that some of
them are drawn without looking at all, and what it proved in its epoch. Rules 4.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from lucid.chain.challenges import ANSWERS, Draw, challenge_seed, draws, is_drawn, one_in
from lucid.chain.chunks import SEGMENT_BYTES
from lucid.chain.codec import decode, encode
from lucid.chain.errors import Code, Refusal
from lucid.chain.fields import MAX_NATURAL
from lucid.chain.transactions import ReplicaHolding, StorageProof
from lucid.chain.versions import PROOF_RULES
from lucid.ledger.execution import Execution, read
from lucid.ledger.relaying import SETTLED, Owed, relayed_in, share_owed
from lucid.ledger.rows import (
    OPENING_KEY,
    DueEntry,
    HoldingEntry,
    KeeperEntry,
    OpeningEntry,
    RelayedEntry,
    SessionEntry,
    anchored_key,
    due_key,
    holding_key,
    keeper_key,
    receipt_key,
    relayed_key,
)
from lucid.ledger.state import Ledger
from lucid.poot.credits import storage_credits

Read = Callable[[bytes], bytes | None]


class Challenge(NamedTuple):
    """What one node is to show of one session in an epoch, and how many sessions it stands for."""

    epoch: int
    session: SessionEntry
    held: int
    draws: tuple[Draw, ...]
    stands_for: int

    def proven_bytes(self, proof: StorageProof) -> int:
        """What the held chunks have by the sizes of those shown, but no more than their part of what the session was
        anchored with: a path leaves open which of some sizes a chunk has."""
        shown = sum(answer.segments for answer in proof.answers) * SEGMENT_BYTES
        return min(self.held * shown // ANSWERS, self.session.total_bytes * self.held // self.session.chunks)


def note_holding(block: Execution, holding: ReplicaHolding) -> None:
    """A node said anew what it holds of a session: it may be proven from the next epoch on. Nothing before rules 4."""
    if block.rules.version < PROOF_RULES:
        return
    # Said anew, it is due in the next epoch again, whatever of it was proven in this one.
    key, row = due_key(holding.session, holding.owner, holding.node), keeper_key(holding.node)
    keeper = keeper_in(lambda key: read(block, key), holding.node, block.epoch)
    more = bool(holding.ranges) - (read(block, key) is not None)
    block.rows[key] = encode(DueEntry(block.epoch + 1)) if holding.ranges else None
    if more:
        sessions = keeper.sessions + more
        block.rows[row] = encode(KeeperEntry(keeper.epoch, keeper.opened, sessions, keeper.chunks, keeper.total_bytes))


def challenge(get: Read, beacon: bytes, epoch: int, node: bytes, session: bytes, owner: bytes) -> Challenge:
    """What a node is to show of an anchored session in an epoch, whose beacon this is.

    Raises `Refusal`: `SESSION_UNKNOWN`, `TX_PROOF_DUE`, `TX_PROOF_DRAW`.
    """
    anchored, claimed = get(anchored_key(session, owner)), get(due_key(session, owner, node))
    if anchored is None:
        raise Refusal(Code.SESSION_UNKNOWN)
    # Not in the epoch in which it was said: else a node would say what it has of what is drawn (section 11).
    if claimed is None or decode(claimed, DueEntry).due > epoch:
        raise Refusal(Code.TX_PROOF_DUE)
    said = get(holding_key(session, owner, node))
    assert said is not None, "what may be proven was said"
    # By the count as the epoch opened, before anybody knew the draw: what is added since changes nothing in it.
    ranges, stands_for = decode(said, HoldingEntry).ranges, one_in(keeper_in(get, node, epoch).opened)
    seed = challenge_seed(beacon, node, session, owner)
    if not is_drawn(seed, stands_for):
        raise Refusal(Code.TX_PROOF_DRAW, f"one in {stands_for} of this node's sessions is drawn")
    held = sum(count for _, count in ranges)
    return Challenge(epoch, decode(anchored, SessionEntry), held, draws(seed, ranges), stands_for)


def prove(block: Execution, proof: StorageProof, member: int) -> None:
    """Check a signed proof of the block's epoch, and credit it. Raises `Refusal`: as `challenge`, `TX_PROOF_FALSE`."""

    def get(key: bytes) -> bytes | None:
        return read(block, key)

    asked = challenge(get, block.opening_beacon, block.epoch, proof.node, proof.session, proof.owner)
    for answer, draw in zip(proof.answers, asked.draws, strict=True):
        # By the size that the answer itself names, as the chain knows none; the paths show whether it can be so.
        if (answer.place, answer.segment) != (draw.place, draw.segment(answer.segments)):
            raise Refusal(Code.TX_PROOF_DRAW)
    if not proof.leads_to(asked.session.root, asked.session.chunks):
        raise Refusal(Code.TX_PROOF_FALSE)
    keeper, times = keeper_in(get, proof.node, block.epoch), asked.stands_for
    chunks = min(keeper.chunks + times * asked.held, MAX_NATURAL)
    total_bytes = min(keeper.total_bytes + times * asked.proven_bytes(proof), MAX_NATURAL)
    # One bound for storage and relay together: whoever proves last gets no more by the order (section 5, Relay).
    most = block.parameters.most_storage_credits - relayed_in(get, proof.node, block.epoch)
    # The difference of two floored sums: in however many proofs it comes, an epoch's worth is floored once.
    gain = storage_credits(chunks, total_bytes, most) - storage_credits(keeper.chunks, keeper.total_bytes, most)
    owed = share_owed(get, proof, gain // times, asked.held)
    # Lost to it with or without a receipt: else who has the copy would earn more by not signing (section 11).
    block.credit_storage(member, gain - (0 if owed is None else owed.share))
    after = KeeperEntry(keeper.epoch, keeper.opened, keeper.sessions, chunks, total_bytes)
    block.rows[keeper_key(proof.node)] = encode(after)
    block.rows[due_key(proof.session, proof.owner, proof.node)] = encode(DueEntry(block.epoch + 1))
    if owed is not None:
        _settle(block, proof, owed)


def _settle(block: Execution, proof: StorageProof, owed: Owed) -> None:
    """Pay a copy's relay, no more than leaves it within its epoch's bound, and never for this copy again."""

    def get(key: bytes) -> bytes | None:
        return read(block, key)

    block.rows[receipt_key(proof.session, proof.owner, proof.node)] = encode(SETTLED)
    keeper, before = keeper_in(get, owed.relay, block.epoch), relayed_in(get, owed.relay, block.epoch)
    most = block.parameters.most_storage_credits - before
    paid = min(owed.due, most - storage_credits(keeper.chunks, keeper.total_bytes, most))
    if paid:
        number = next(number for number, member in enumerate(block.members) if member.key == owed.relay)
        block.credit_storage(number, paid)
        block.rows[relayed_key(owed.relay)] = encode(RelayedEntry(block.epoch, before + paid))


def keeper_in(get: Read, node: bytes, epoch: int) -> KeeperEntry:
    """A node's row as it is in an epoch: with each one, what was proven begins anew."""
    row = get(keeper_key(node))
    if row is None:
        return KeeperEntry(epoch, 0, 0, 0, 0)
    keeper = decode(row, KeeperEntry)
    return keeper if keeper.epoch == epoch else KeeperEntry(epoch, keeper.sessions, keeper.sessions, 0, 0)


def open_challenge(ledger: Ledger, epoch_views: int, node: bytes, session: bytes, owner: bytes) -> Challenge | None:
    """What a node is to show of a session in the epoch of a ledger; None where nothing is asked (any more)."""
    head, opening = ledger.core.head, ledger.row(OPENING_KEY)
    if head.view >= epoch_views or opening is None or ledger.core.rules.version < PROOF_RULES:
        return None
    try:
        return challenge(ledger.row, decode(opening, OpeningEntry).beacon, head.epoch, node, session, owner)
    except Refusal:
        return None
