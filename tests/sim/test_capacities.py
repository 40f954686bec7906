"""Networks whose nodes declare what they have room for: weights follow, and chunks go where these say (section 8)."""

from __future__ import annotations

from collections import Counter
from typing import Any

from harness.durability import RESTORED
from harness.invariants import WEIGHTS
from lucid.chain.versions import CAPACITY_RULES, RELAY_RULES
from lucid.ledger.rows import WEIGHTS_KEY
from lucid.ledger.weights import entries, node_weights
from sim.capacityload import final_ledger
from sim.chunkload import ChunkLoad
from sim.faults.crash import Crash
from tests.runs import FAST, passed, scenario

LOAD = ChunkLoad(chunk_every_ms=400, most_chunks=250, least_bytes=2_000, most_bytes=20_000, scrub_ms=30_000)


def network(capacities: list[int], rules: int = CAPACITY_RULES, **values: Any) -> Any:
    keys: dict[str, Any] = {
        "nodes": len(capacities),
        "duration": "300s",
        "profile": "lan",
        "parameters": FAST | {"epoch_slots": 5, "vote_credits": 20},
        "rules": {"version": rules},
        "anchor_every_ms": 0,
        "relays_every_ms": 3_000,
        "capacities": capacities,
    }
    return scenario(**keys | values)


def test_chunks_go_where_the_weights_say() -> None:
    done = passed(network([4, 4, 1, 1, 1, 1, 1], workload=LOAD))
    ledger = final_ledger(done.world.nodes[3])
    weights = list(node_weights(ledger).items())
    by_index = {done.world.index[key]: weight for key, weight in weights}
    assert by_index == {0: 4, 1: 4, 2: 1, 3: 1, 4: 1, 5: 1, 6: 1}
    checks = {each["name"]: each["checks"] for each in done.document["invariants"]}
    assert checks[WEIGHTS] > 3 and checks[RESTORED] > 10
    wanted: Counter[int] = Counter()
    for chunk in done.world.chunks.acknowledged:  # type: ignore[union-attr]
        for node in done.world.nodes:
            assert node.data is not None and node.data.machine is not None
            if node.key in node.data.machine.neighborhood.wanted(chunk):
                wanted[node.index] += 1
                assert node.data.card.intact(chunk), "it is where it belongs now"
    assert min(wanted[0], wanted[1]) > 1.5 * max(wanted[index] for index in range(2, 7)), wanted


def test_a_node_that_is_away_weighs_less_and_less_and_the_others_what_they_declared() -> None:
    done = passed(network([8] * 7, fault=[Crash(node=0, at="150s", until="290s")]))
    ledger = final_ledger(done.world.nodes[1])
    first, *others = [each.weight for each in entries(ledger.row(WEIGHTS_KEY))]
    assert first < 4 and others == [8] * 6


def test_rules_before_weigh_nothing() -> None:
    done = passed(network([16, 4, 1, 1], rules=RELAY_RULES, duration="60s"))
    assert final_ledger(done.world.nodes[0]).row(WEIGHTS_KEY) is None
    assert set(node_weights(final_ledger(done.world.nodes[0])).values()) == {1}
