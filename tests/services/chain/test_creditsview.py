"""What each member's work counts for: the figures of the ledger, and the score that they make."""

from __future__ import annotations

from lucid.chain.versions import PROOF_RULES
from lucid.poot.credits import live_score, uptime_ppm
from lucid.services.chain.creditsview import CreditsView
from lucid.storage.sqlite import SqliteStore
from tests.builders import make_genesis
from tests.services.chain.growing import Growing


def test_the_figures_are_those_of_the_ledger(store: SqliteStore) -> None:
    genesis = make_genesis(nodes=4)
    growing = Growing(store, genesis)
    for _ in range(30):
        growing.grow()
    found = CreditsView(growing.chain, genesis).credits()
    core = growing.chain.tree.root.ledger.core
    assert (found.epoch, found.slot) == (core.head.epoch, core.head.slot)
    assert (found.vote_credits, found.window_slots) == (
        genesis.parameters.vote_credits,
        genesis.parameters.window_slots,
    )
    assert [each.node for each in found.members] == [each.key.hex() for each in core.roster.members]
    assert [each.credits for each in found.members] == list(core.tally.credits) and any(core.tally.credits)
    for number, each in enumerate(found.members):
        assert each.uptime_ppm == uptime_ppm(core.tally.beacons[number], core.tally.held[number])
        assert each.live_score == live_score(each.credits, each.uptime_ppm, each.penalty_ppm)


def test_what_was_proven_is_told_from_the_rules_on_that_have_proofs(store: SqliteStore) -> None:
    genesis = make_genesis(nodes=1)
    growing = Growing(store, genesis)
    growing.grow()
    (one,) = CreditsView(growing.chain, genesis).credits().members
    assert (one.storage is None) == (growing.chain.tree.root.ledger.core.rules.version < PROOF_RULES)
