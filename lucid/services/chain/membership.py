"""Who there is as a block manager shows it: registered nodes, their credits, and the votes that the chain holds."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from lucid.api.answers import Credits, MemberCredits, StorageCredits
from lucid.chain.blocks import Block
from lucid.chain.certificates import signer_places
from lucid.chain.errors import printable
from lucid.chain.genesis import Genesis
from lucid.chain.versions import PROOF_RULES
from lucid.chain.votes import PROPOSE
from lucid.ledger.proofs import keeper_in
from lucid.ledger.relaying import relayed_in
from lucid.ledger.rows import evidence_key
from lucid.ledger.state import ROW_TABLE
from lucid.machines.chain import Chain
from lucid.poot.credits import live_score, storage_credits, uptime_ppm
from lucid.services.web.web import Condition
from lucid.storage.durable import DurableStore

MAX_DOUBLE_VOTES = 16
"""Of one node that are shown."""
LOOKED_BACK_BLOCKS = 1_000
"""How far back a key's votes are looked for: some seconds of reading at most, on a Pi's card."""


class DoubleVote(msgspec.Struct, frozen=True):
    """Evidence on the chain that a key signed two votes in one view that no honest validator signs both."""

    epoch: int
    view: int


class MemberView(msgspec.Struct, frozen=True):
    """A registered node as the chain holds it. Its double votes, newest first, cost it its turns before the epoch
    `evidence_until_epoch` (0: never any)."""

    node: str
    name: str
    validator: bool
    retired: bool
    uptime_ppm: int
    live_score: int
    double_votes: tuple[DoubleVote, ...]
    evidence_until_epoch: int


class SeenVote(msgspec.Struct, frozen=True):
    """A vote that the chain holds; `block` is empty for a skip."""

    view: int
    kind: int
    block: str


NO_VALIDATOR = "no validator"
"""The condition of a node whose votes do not count."""


def no_validator(chain: Chain, own: bytes) -> Condition | None:
    """What a node warns of that no epoch counts on: it is to be registered, or was retired, or has the wrong key."""
    ledger = chain.tree.root.ledger
    if own in ledger.validators.index or own in ledger.next_validators.index:
        return None
    return Condition(
        NO_VALIDATOR,
        "this node's key is not that of a validator of the chain: it follows the chain, and signs nothing",
        "nothing, where administrators have yet to register it or have retired it; else see whether `key` is the one "
        "that the genesis names",
    )


class Membership:
    """The members of a chain, as of its last final block."""

    def __init__(self, chain: Chain, store: DurableStore, genesis: Genesis) -> None:
        self._chain = chain
        self._store = store
        self._genesis = genesis

    def members(self) -> tuple[list[str], int]:
        """The nodes that are registered and not retired, and how many of them have a chunk, as of the last final
        block."""
        core = self._chain.tree.root.ledger.core
        return [each.key.hex() for each in core.roster.members if not each.retired], core.rules.replication_factor

    def nodes(self) -> list[MemberView]:
        """All nodes ever registered, as of the last final block."""
        core = self._chain.tree.root.ledger.core
        tally, validators = core.tally, self._chain.validators.index
        found = []
        for number, member in enumerate(core.roster.members):
            uptime = uptime_ppm(tally.beacons[number], tally.held[number])
            found.append(
                MemberView(
                    node=member.key.hex(),
                    name=printable(member.name),
                    validator=member.key in validators,
                    retired=member.retired,
                    uptime_ppm=uptime,
                    live_score=live_score(tally.credits[number], uptime, tally.penalty_ppm[number]),
                    double_votes=self._double_votes(number),
                    evidence_until_epoch=tally.evidence_until[number],
                )
            )
        return found

    def _double_votes(self, number: int) -> tuple[DoubleVote, ...]:
        """A member's, as far as the chain holds evidence."""
        first, beyond = evidence_key(number, 0, 0), evidence_key(number + 1, 0, 0)
        rows = self._store.scan(ROW_TABLE, beyond, MAX_DOUBLE_VOTES, reverse=True)
        found = []
        for key, _ in rows:
            if key < first:
                break
            found.append(DoubleVote(int.from_bytes(key[-16:-8], "big"), int.from_bytes(key[-8:], "big")))
        return tuple(found)

    def voters(self) -> tuple[int, tuple[bytes, ...], bytes]:
        """The current epoch, the keys of its validators, and the hash of the best notarized block."""
        tree = self._chain.tree
        return tree.epoch, self._chain.validators.keys, tree.best.hash

    def last_vote(self, key: bytes, views: range, epoch: int, keys: tuple[bytes, ...], best: bytes) -> SeenVote | None:
        """The latest vote of a key, in these views of this epoch, that the blocks up to `best` hold; None without one.

        A block is a vote of its proposer, and holds the votes of its parent's certificate, and late ones.
        """
        block = self._chain.block(best)
        for _ in range(LOOKED_BACK_BLOCKS):
            if block is None or block.header.epoch != epoch:
                return None
            votes = [vote for vote in _votes_in(block, key, keys) if vote.view in views]
            if votes or block.header.view < views.start:
                return max(votes, key=lambda vote: vote.view, default=None)
            block = self._chain.block(block.header.parent)
        return None

    def credits(self) -> Credits:
        """What each member's work counts for."""
        core = self._chain.tree.root.ledger.core
        tally = core.tally
        rows = []
        for number, member in enumerate(core.roster.members):
            uptime = uptime_ppm(tally.beacons[number], tally.held[number])
            rows.append(
                MemberCredits(
                    node=member.key.hex(),
                    name=member.name,
                    credits=tally.credits[number],
                    uptime_ppm=uptime,
                    live_score=live_score(tally.credits[number], uptime, tally.penalty_ppm[number]),
                    pool=member.pool,
                    beacons=tally.beacons[number],
                    held=tally.held[number],
                    penalty_ppm=tally.penalty_ppm[number],
                    evidence_until=tally.evidence_until[number],
                    retired=member.retired,
                    storage=self._storage(member.key),
                )
            )
        head, parameters = core.head, self._genesis.parameters
        return Credits(tuple(rows), head.epoch, head.slot, parameters.vote_credits, parameters.window_slots)

    def _storage(self, node: bytes) -> StorageCredits | None:
        """What a node proved in this epoch."""
        ledger = self._chain.tree.root.ledger
        if ledger.core.rules.version < PROOF_RULES:
            return None
        keeper = keeper_in(ledger.row, node, ledger.core.head.epoch)
        relayed = relayed_in(ledger.row, node, ledger.core.head.epoch)
        most = self._genesis.parameters.most_storage_credits - relayed
        worth = storage_credits(keeper.chunks, keeper.total_bytes, most)
        return StorageCredits(keeper.sessions, keeper.chunks, keeper.total_bytes, worth, relayed)


def _votes_in(block: Block, key: bytes, keys: tuple[bytes, ...]) -> Iterator[SeenVote]:
    """The votes of a key that a block shows, of the block's epoch; `keys` are the validators' then."""
    header, parent = block.header, block.parent_certificate
    if header.proposer == key:
        yield SeenVote(header.view, PROPOSE, header.hash.hex())
    for vote in block.late_votes:
        if vote.signer == key and vote.epoch == header.epoch:
            yield SeenVote(vote.view, vote.kind, vote.block.hex())
    if parent is None or parent.epoch != header.epoch or key not in keys:
        return
    if keys.index(key) in signer_places(parent.signers):
        yield SeenVote(parent.view, parent.kind, parent.block.hex())
