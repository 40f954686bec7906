"""Old and new releases together while the rules change: nobody forks, who is too old stops with the right state and
comes back when it is upgraded, and what the new rules have is there for all."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs

from harness.hunt.judge import RunVerdict, judge
from harness.invariants import Diverged, Invariants
from lucid.chain.errors import Code
from lucid.chain.transactions import Administrative, ScheduleRules, SetReplication, claim_message
from lucid.chain.versions import HOLDING_RULES, REPLICATION_RULES, RULES_KNOWN, ChainRules
from lucid.ledger.replicas import session_replicas
from lucid.machines.effects import Halted, Submitted
from lucid.machines.messages import Blocks, CertificateMessage, Standing
from sim.faults.fault import Fault, tag
from sim.faults.old_release import OldRelease
from sim.faults.wipe import Wipe
from sim.node import Node
from sim.scenario import Scenario
from sim.scenarioerror import ScenarioError
from sim.scenariofile import parse
from sim.trace import Trace
from sim.world import World

FAST = {
    "block_interval_ms": 1_000,
    "slot_duration_ms": 3_000,
    "slot_timeout_ms": 1_000,
    "max_clock_drift_ms": 400,
    "epoch_slots": 3,
}
"""Epochs of nine views."""
LAST_OLD = 18
"""The block that closes the second epoch where no view is skipped: rules from height 15 on hold from the next one."""
RULES = {"version": REPLICATION_RULES, "height": 15}


def network(*faults: Fault, **values: Any) -> Scenario:
    keys: dict[str, Any] = {"profile": "lan", "anchor_every_ms": 500, "parameters": FAST, "rules": RULES}
    return Scenario(name="upgrade", nodes=4, duration="10m", fault=list(faults), **(keys | values))


class Halts:
    """A watcher that notes who stopped before which height."""

    def __init__(self, world: World) -> None:
        self.found: list[tuple[int, int, int]] = []
        world.watchers += [self, Invariants(world)]

    def on_fact(self, now_us: int, node: Node, fact: object) -> None:
        """See `Watcher`."""
        if isinstance(fact, Halted):
            self.found.append((node.index, fact.height, fact.rules))

    def on_accepted(self, *_: object) -> None:
        """See `Watcher`."""

    def on_fault(self, *_: object) -> None:
        """See `Watcher`."""


def started(scenario: Scenario) -> tuple[World, Halts]:
    world = World(scenario, Trace())
    halts = Halts(world)
    world.start()
    return world, halts


def chain(world: World, index: int) -> Any:
    """The manager's chain of a node that is up."""
    manager = world.nodes[index].manager
    assert manager is not None
    return manager.machine.chain  # type: ignore[union-attr]


def heights(world: World) -> list[int]:
    return [chain(world, node.index).tree.root.height for node in world.nodes]


def submit(world: World, index: int, request: Administrative) -> None:
    """Administrators approve a request and hand it to a node."""
    message = claim_message(world.genesis.chain_id, request)
    approvals = [(place, world.clients.sign(world.administrators[place], message)) for place in (0, 1)]
    engine = world.nodes[index].engine
    assert engine is not None
    engine.step(Submitted(10**9 + index, structs.replace(request, approvals=tuple(approvals))))


def test_who_is_too_old_stops_with_the_right_state_and_comes_back_upgraded() -> None:
    world, halts = started(network(OldRelease(node=1, until=8_000), OldRelease(node=3, until=40_000)))
    world.run(35_000)
    assert halts.found == [(3, LAST_OLD + 1, REPLICATION_RULES)]
    assert heights(world) == [heights(world)[0]] * 3 + [LAST_OLD] and heights(world)[0] > LAST_OLD + 10
    stopped, others = chain(world, 3), chain(world, 0)
    assert stopped.outdated and not others.outdated
    assert stopped.tree.root.hash == others.block_at(LAST_OLD).header.hash
    assert stopped.tree.root.ledger.root == others.block_at(LAST_OLD).header.state_root
    engine = world.nodes[3].engine
    assert engine is not None and engine.machine.halted is not None  # type: ignore[union-attr]
    world.run(45_000)
    assert max(heights(world)) - min(heights(world)) <= 1
    assert chain(world, 3).rules.version == REPLICATION_RULES


def test_a_stopped_node_speaks_when_it_is_asked_and_serves_what_it_has() -> None:
    """Node 2 begins anew, and of the others it hears only node 3, which stopped."""
    world, _ = started(network(OldRelease(node=3), Wipe(node=2, at=25_000, until=30_000)))
    world.run(30_001)
    sent: set[int] = set()

    def heard(sender: int, sending: Any) -> tuple[Any, ...]:
        if sender == 3:
            sent.add(sending.data[1])
        return () if sender in (0, 1) and 2 in sending.receivers else (sending,)

    world.network.on_send = (heard,)
    world.run(45_000)
    assert sent == {tag(CertificateMessage), tag(Standing), tag(Blocks)}
    assert chain(world, 2).tree.root.height == LAST_OLD


def test_its_clients_are_told_why() -> None:
    world, _ = started(network(OldRelease(node=3)))
    world.run(30_000)
    refused: list[Code | None] = []
    world.responded = lambda node, effect: refused.append(effect.refusal)  # type: ignore[method-assign]
    submit(world, 3, SetReplication(2, 0, ()))
    assert refused == [Code.RULES_UNKNOWN]


def test_what_the_new_rules_have_is_there_once_they_hold_and_not_before() -> None:
    world, _ = started(network(OldRelease(node=1, until=8_000), anchor_every_ms=0))
    refused: list[Code | None] = []
    world.responded = lambda node, effect: refused.append(effect.refusal)  # type: ignore[method-assign]
    world.run(10_000)
    submit(world, 0, SetReplication(2, 0, ()))
    world.run(25_000)
    submit(world, 0, SetReplication(2, 0, ()))
    world.run(30_000)
    assert refused == [Code.TX_RULES, None]
    for node in world.nodes:
        assert chain(world, node.index).rules == ChainRules(version=REPLICATION_RULES, replication_factor=2)


def test_administrators_schedule_rules_of_a_chain_that_began_without() -> None:
    world, halts = started(network(OldRelease(node=2), anchor_every_ms=0, rules={}))
    world.run(2_500)
    submit(world, 0, ScheduleRules(REPLICATION_RULES, 15, 0, ()))
    world.run(10_000)
    assert {chain(world, node.index).rules for node in world.nodes} == {ChainRules(1, REPLICATION_RULES, 15)}
    world.run(30_000)
    assert halts.found == [(2, LAST_OLD + 1, REPLICATION_RULES)]


def test_rules_that_nobody_knows_stop_the_chain_and_fork_nothing() -> None:
    world, halts = started(network(rules={"version": RULES_KNOWN + 1, "height": 15}))
    world.run(40_000)
    assert heights(world) == [LAST_OLD] * 4
    assert len({chain(world, node.index).tree.root.hash for node in world.nodes}) == 1
    assert sorted(node for node, *_ in halts.found) == [0, 1, 2, 3]


def test_without_a_quorum_of_upgraded_nodes_the_chain_waits_for_one() -> None:
    old = [OldRelease(node=node, until=40_000 + 5_000 * node) for node in (1, 2, 3)]
    world, _ = started(network(*old))
    world.run(40_000)
    assert heights(world) == [LAST_OLD] * 4
    world.run(70_000)
    assert min(heights(world)) > LAST_OLD + 10


def test_an_older_release_that_is_brought_back_takes_no_part_and_loses_nothing() -> None:
    world, halts = started(network(OldRelease(node=3, at=30_000, until=45_000)))
    world.run(29_000)
    before = heights(world)[3]
    world.run(44_000)
    assert halts.found and before <= heights(world)[3] <= before + 2 < heights(world)[0]
    world.run(50_000)
    assert max(heights(world)) - min(heights(world)) <= 1


def test_an_old_release_that_takes_a_snapshot_of_new_rules_stops_there() -> None:
    world, halts = started(
        network(OldRelease(node=3), Wipe(node=3, at=1, until=60_000), limits={"snapshot_gap": 8}, snapshot_blocks=10)
    )
    world.run(70_000)
    assert halts.found and chain(world, 3).outdated
    assert LAST_OLD < heights(world)[3] < heights(world)[0]


@pytest.mark.parametrize("seed", range(4))
def test_rolling_upgrades_hold_every_invariant(seed: int) -> None:
    faults = [OldRelease(node=node, until=3_000 + 6_000 * node) for node in range(4)]
    outcome = judge(network(*faults, seed=seed, calm="30s"))
    assert outcome.verdict is RunVerdict.PASS, outcome


def test_who_goes_on_under_rules_that_it_does_not_know_breaks_an_invariant() -> None:
    world, _ = started(network(OldRelease(node=3)))
    for runner in (world.nodes[3].manager, world.nodes[3].engine):
        assert runner is not None
    chain(world, 3).rules_known = world.nodes[3].engine.machine.rules_known = 99  # type: ignore[union-attr]
    with pytest.raises(Diverged, match="no vote under unknown rules: n03"):
        world.run(40_000)


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ("height = 3", "rules.version: is missing"),
        ("version = 1", "rules: must name a version above 1"),
        ("version = 2\nat = 3", "rules.at: no such key"),
    ],
)
def test_wrong_rules_of_a_scenario_are_one_sentence(table: str, says: str) -> None:
    with pytest.raises(ScenarioError) as error:
        parse(f"nodes = 4\n[rules]\n{table}\n", "file")
    assert says.partition(": ")[2] in str(error.value) and "\n" not in str(error.value)


def test_nodes_say_what_they_hold_under_rules_3_through_crashes_and_lost_disks_and_an_older_release_stops() -> None:
    """What the second implementation makes of it is compared in every block."""
    rules = {"version": HOLDING_RULES, "height": 15}
    faults = OldRelease(node=3, knows=REPLICATION_RULES, until=40_000), Wipe(node=2, at=45_000, until=50_000)
    world, halts = started(network(*faults, rules=rules, holdings_every_ms=200, snapshot_blocks=20))
    world.run(90_000)
    assert halts.found == [(3, LAST_OLD + 1, HOLDING_RULES)]
    ledgers = [chain(world, node.index).tree.root.ledger for node in world.nodes]
    found = [
        [session_replicas(ledger, anchor.session, anchor.owner) for anchor in world.workload.recent]
        for ledger in ledgers
    ]
    assert max(heights(world)) - min(heights(world)) <= 1
    assert sum(len(each.holders) for each in found[0] if each is not None) > 20
    assert found[0] == found[1] or heights(world)[0] != heights(world)[1]
