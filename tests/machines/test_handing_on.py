"""Administrators hand on to others, among whole nodes: who is admitted, and what nodes that come later know."""

from __future__ import annotations

from functools import cache

from lucid.chain.errors import Code
from lucid.chain.genesis import Activation
from lucid.chain.receipts import print_receipt, verify_receipt
from lucid.chain.transactions import Payload, RetireNode, SetAdministrators
from lucid.chain.versions import ADMINISTRATOR_RULES
from lucid.machines.effects import Respond, Submitted
from lucid.machines.receipts import make_receipt
from tests.builders import CRYPTO
from tests.machines.fleets import Fleet
from tests.machines.joining import NEAR
from tests.machines.peers import tiny_genesis

GENESIS = tiny_genesis(rules=Activation(ADMINISTRATOR_RULES))
LATE = 3


def asked(fleet: Fleet, payload: Payload) -> Code | None:
    """What node 0's engine says to a client's payload."""
    machines = fleet.sites[0].machines
    assert machines is not None
    effects = machines[1].machine.handle(fleet.now, Submitted(99, payload))  # type: ignore[arg-type]
    return next(effect.refusal for effect in effects if isinstance(effect, Respond))


@cache
def history() -> tuple[Fleet, list[Code | None]]:
    """Administrators 4 and 5 follow on 0, 1 and 2 and retire a node; node 3 begins when all that is long past. With it
    what node 0's engine said to decisions of those before and after."""
    fleet = Fleet(GENESIS, limits=NEAR)
    for number in set(fleet.sites) - {LATE}:
        fleet.sites[number].start()
    fleet.run(2_000)
    signer, manager = fleet.signer, fleet.sites[0].manager
    said = [asked(fleet, signer.hand_on((4, 5), 2, 0, accepted=(0,)))]
    fleet.submit(0, signer.hand_on((4, 5), 2, 0))
    before, after = signer.retire(LATE, 1), signer.approve(signer.retire(LATE, 1), (0, 1), (4, 5))
    said.append(asked(fleet, after))
    while manager.chain.tree.epoch == 0:
        fleet.run(1_000)
    said.append(asked(fleet, before))
    # What an engine knows it has from its manager, each time anew.
    fleet.sites[0].restart_engine()
    said.append(asked(fleet, before))
    fleet.submit(0, after)
    while manager.chain.tree.epoch < 3:
        fleet.run(1_000)
    fleet.sites[LATE].start()
    return fleet.run(5_000), said


def test_an_engine_admits_what_those_in_force_decided() -> None:
    fleet, said = history()
    assert said == [Code.TX_ADMIN_THRESHOLD, Code.TX_SIGNATURE, Code.TX_SIGNATURE, Code.TX_SIGNATURE]
    core = fleet.sites[0].manager.chain.tree.root.ledger.core
    assert core.roster.sequence == 2 and core.roster.members[LATE].retired


def test_a_node_that_comes_by_snapshot_knows_who_decides() -> None:
    fleet, _ = history()
    chains = [fleet.sites[number].manager.chain for number in (0, LATE)]
    assert chains[1].block_at(1) is None, "it came by snapshot"
    decided = [chain.administration for chain in chains]
    assert decided[0] == decided[1] and decided[0] is not None
    assert decided[0].current.keys == fleet.signer.hand_on((4, 5), 2, 0).keys


def test_receipts_hold_over_it_from_genesis_alone() -> None:
    """What vouches for a block are validators, whoever decides about them."""
    fleet, _ = history()
    chain = fleet.sites[0].manager.chain
    kinds = []
    for height in range(1, chain.tree.root.height + 1):
        block = chain.block_at(height)
        assert block is not None
        for place, transaction in enumerate(block.transactions):
            receipt = make_receipt(chain, height, place)
            assert receipt is not None
            verified = verify_receipt(print_receipt(receipt, GENESIS), GENESIS, CRYPTO)
            assert verified.transaction == transaction
            kinds.append(type(transaction.payload))
    assert kinds.count(SetAdministrators) == kinds.count(RetireNode) == 1
