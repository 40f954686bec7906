"""Networks whose nodes bring sessions to each other: who is paid, and what lying about it earns (section 5)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import cache
from typing import Any, NamedTuple

import pytest

from harness.invariants import RELAYS
from harness.reference.recount import recount_proofs
from lucid.chain.transactions import RelayReceipt
from lucid.chain.versions import RELAY_RULES
from sim.faults.self_deal import SelfDeal
from sim.relayload import BYTES, IDS
from sim.scenario import Scenario
from sim.scenarioerror import ScenarioError
from tests.runs import FAST, manager_of, passed, scenario

NODES = 7
WORTH = 2 * len(IDS)
"""Of a copy in an epoch: it is too small for its bytes to count."""


class Outcome(NamedTuple):
    """What came of a run by node: credits of proofs and relays, those that its proofs earn under rules 4, and those
    that honest nodes paid it for copies that it brought them; copies that it sent, and receipts that it signed."""

    earned: Counter[int]
    proven: Counter[int]
    brought: Counter[int]
    sent: dict[int, int]
    signed: Counter[int]
    checks: dict[str, int]


def network(*faults: SelfDeal) -> Scenario:
    return scenario(
        nodes=NODES,
        duration="150s",
        profile="lan",
        parameters=FAST | {"epoch_slots": 5, "vote_credits": 20},
        rules={"version": RELAY_RULES},
        anchor_every_ms=0,
        relays_every_ms=8_000,
        fault=list(faults),
    )


@cache
def outcome(faults: tuple[tuple[str, int, int | None], ...] = ()) -> Outcome:
    """Of a run with these liars: how, which node, and with which friend."""
    done = passed(network(*[SelfDeal(how=how, node=node, friend=friend) for how, node, friend in faults]))  # type: ignore[arg-type]
    chain = manager_of(done.world, NODES - 1).chain
    blocks = [block for height in range(1, chain.tree.root.height + 1) if (block := chain.block_at(height)) is not None]
    _, history = recount_proofs(done.world.genesis, blocks)
    place = {node.key: node.index for node in done.world.nodes}
    liars = {node for _, *some in faults for node in some}
    brought: Counter[int] = Counter()
    for proof in history.proofs:
        if proof.relay is not None and place[proof.node] not in liars:
            brought[place[proof.relay]] += WORTH * proof.came // proof.held
    receipts = [each.payload for block in blocks for each in block.transactions]
    return Outcome(
        by_node(place, history.earned()),
        by_node(place, history.earned(relays=False)),
        brought,
        {node: sent // BYTES for node, sent in done.world.relays.moved.items()},
        Counter(place[each.node] for each in receipts if isinstance(each, RelayReceipt)),
        {each["name"]: each["checks"] for each in done.document["invariants"]},
    )


def by_node(place: dict[bytes, int], credits: Counter[tuple[int, bytes]]) -> Counter[int]:
    found: Counter[int] = Counter()
    for (_, key), some in credits.items():
        found[place[key]] += some
    return found


def of(nodes: Iterable[int], credits: Any) -> int:
    return sum(credits.get(node, 0) for node in nodes)


def test_honest_nodes_pay_each_other_for_what_they_brought() -> None:
    found = outcome()
    assert found.checks[RELAYS] > 3
    assert sum(found.brought.values()) > 10 * WORTH
    assert found.earned.total() <= found.proven.total()
    assert found.earned.total() > found.proven.total() * 9 // 10, "few shares are lost"
    assert all(found.signed[node] for node in range(NODES))


def test_who_deals_with_itself_earns_what_the_same_disks_prove_and_nothing_for_bytes_that_never_moved() -> None:
    found = outcome((("friend", 0, 1),))
    liars = (0, 1)
    assert found.signed[1] > 1 and found.sent.get(0, 0) == 0
    assert 0 < of(liars, found.earned) <= of(liars, found.proven) + of(liars, found.brought)


@pytest.mark.parametrize("how", ["greedy", "silent"])
def test_who_signs_nothing_or_too_much_earns_no_more_than_who_signs_what_it_fetched(how: str) -> None:
    honest, lying = outcome(), outcome(((how, 0, None),))
    assert lying.signed[0] == (0 if how == "silent" else honest.signed[0])
    assert lying.sent == honest.sent
    assert lying.earned[0] <= honest.earned[0]


@pytest.mark.parametrize(
    ("how", "node", "friend"), [("friend", 1, None), ("friend", 1, 1), ("friend", 1, 9), ("silent", 1, 2)]
)
def test_a_friend_is_another_node_and_only_where_it_is_needed(how: Any, node: int, friend: int | None) -> None:
    with pytest.raises(ScenarioError) as refused:
        network(SelfDeal(how=how, node=node, friend=friend))
    assert "friend" in str(refused.value)
