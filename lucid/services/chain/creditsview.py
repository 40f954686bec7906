"""What each member's work counts for, as a block manager shows it."""

from __future__ import annotations

from lucid.api.answers import Credits, MemberCredits, StorageCredits
from lucid.chain.genesis import Genesis
from lucid.chain.versions import PROOF_RULES
from lucid.ledger.proofs import keeper_in
from lucid.ledger.relaying import relayed_in
from lucid.machines.chain import Chain
from lucid.poot.credits import standing_of, storage_credits


class CreditsView:
    """The members' credits, as of the last final block."""

    def __init__(self, chain: Chain, genesis: Genesis) -> None:
        self._chain = chain
        self._genesis = genesis

    def credits(self) -> Credits:
        """What each member's work counts for."""
        core = self._chain.tree.root.ledger.core
        tally = core.tally
        rows = []
        for number, member in enumerate(core.roster.members):
            uptime, score = standing_of(tally, number)
            rows.append(
                MemberCredits(
                    node=member.key.hex(),
                    name=member.name,
                    credits=tally.credits[number],
                    uptime_ppm=uptime,
                    live_score=score,
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
