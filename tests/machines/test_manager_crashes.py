"""The manager's effects in an order that a crash cannot hurt, and nodes that stop and start at any time."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lucid.ledger.memory import MemoryStore
from lucid.machines.effects import (
    BlockFinal,
    CertificateStored,
    Observe,
    Received,
    Store,
)
from lucid.machines.limits import Limits
from lucid.machines.messages import (
    Standing,
)
from tests.machines.durability import assert_in_order
from tests.machines.fleets import Fleet
from tests.machines.peers import Peer, contents, converse, copy_of, facts, tiny_genesis, told, writes_of

GENESIS = tiny_genesis()


# -- the order of effects, and crashes ---------------------------------------------------------------------------


def run_of(seed: int, lossy: bool) -> Fleet:
    """A run of four nodes; a lossy one skips views, and finalizes more than one block at a time."""
    fleet = Fleet(GENESIS, limits=Limits(snapshot_blocks=5))
    if lossy:
        chance = iter(range(seed, 10**9, 7))
        fleet.allow = lambda sender, receiver, data: (next(chance) * 2_654_435_761 >> 7) % 100 >= 12
    fleet.start()
    for number in range(14):
        fleet.submit(number % 4, fleet.signer.anchor(number))
        fleet.run(1_000)
    return fleet


@pytest.mark.parametrize("lossy", [False, True])
def test_what_an_effect_depends_on_is_stored_before_it(lossy: bool) -> None:
    fleet = run_of(1, lossy)
    site = fleet.sites[2]
    store = MemoryStore()
    count = 0
    for step in site.steps:
        assert_in_order(step.effects, contents(store), GENESIS.chain_id)
        for each in writes_of(step.effects):
            store.write(each.writes)
            count += 1
    assert count > 30
    assert contents(store) == contents(site.store)


def test_a_wrong_order_would_be_noticed() -> None:
    """The check above can fail: the same effects with each store put off are out of order."""
    site = run_of(1, False).sites[2]
    step = next(step for step in site.steps if told(step.effects, CertificateStored))
    late = sorted(step.effects, key=lambda effect: isinstance(effect, Store))
    with pytest.raises(AssertionError):
        assert_in_order(late, {}, GENESIS.chain_id)


@pytest.mark.slow
@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 10**6), st.integers(0, 3), st.booleans())
def test_a_node_recovers_from_a_crash_at_any_write(cut: int, number: int, lossy: bool) -> None:
    """What left a node before its last write is there again, and the others' messages bring it to where they are."""
    fleet = recorded(lossy)
    site = fleet.sites[number]
    batches = [each.writes for step in site.steps for each in writes_of(step.effects)]
    place = cut % len(batches) + 1
    store = MemoryStore()
    for batch in batches[:place]:
        store.write(batch)
    final, seen = [], 0
    for step in site.steps:
        for effect in step.effects:
            seen += isinstance(effect, Store)
            if seen > place:
                break
            if isinstance(effect, Observe) and isinstance(effect.fact, BlockFinal):
                final.append(effect.fact)
    crashed = Peer(GENESIS, number, store, limits=Limits(snapshot_blocks=5))
    tree = crashed.manager.chain.tree
    if final and seen > place:
        # The last write may have made blocks final that nobody was told of.
        assert tree.root.height >= final[-1].height
        assert all(crashed.manager.chain.block_at(each.height) is not None for each in final)
    rest = [step for step in site.steps if isinstance(step.event, Received)]
    for step in rest:
        crashed.now = step.now
        crashed.step(step.event)
        assert crashed.manager.chain.tree.root.height >= tree.root.height
    serving = fleet.peer((number + 1) % 4)
    for _ in range(3):
        there, here = serving.manager.chain.tree, crashed.manager.chain.tree
        crashed.outbox.clear()
        crashed.hear(Standing(there.epoch, there.entry_view + 1, there.root.height, (), there.entry), (number + 1) % 4)
        serving.hear(Standing(here.epoch, here.entry_view + 1, here.root.height, (), here.entry), number)
        converse([crashed, serving])
    assert crashed.manager.chain.tree.root.height >= serving.manager.chain.tree.root.height
    assert facts(crashed.manager) == facts(crashed.restarted())


@cache
def recorded(lossy: bool) -> Fleet:
    """A run that is recorded once."""
    return run_of(3, lossy)


@pytest.mark.slow
@settings(max_examples=15, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(50, 2_500), st.integers(50, 2_500)), min_size=1, max_size=6))
def test_nodes_that_stop_and_start_at_any_time_go_on(plan: list[tuple[int, int, int]]) -> None:
    """One node after the other is down for a while, or all at once; afterwards the chain grows and is one."""
    fleet = Fleet(GENESIS, limits=Limits(snapshot_blocks=5)).start()
    for number, run_ms, down_ms in plan:
        fleet.run(run_ms)
        site = fleet.sites[number]
        if site.machines is not None:
            site.stop()
        fleet.run(down_ms // 2)
        if down_ms % 2:
            site.start()
    for site in fleet.sites.values():
        if site.machines is None:
            site.start()
    before = max(site.manager.chain.tree.root.height for site in fleet.sites.values())
    fleet.run(12_000)
    heights = {site.manager.chain.tree.root.height for site in fleet.sites.values()}
    assert min(heights) > before
    assert max(heights) - min(heights) <= 1
    low = min(heights)
    assert len({site.manager.chain.block_at(low) for site in fleet.sites.values()}) == 1


def test_a_power_cut_in_the_middle_of_a_view_is_survived() -> None:
    fleet = Fleet(GENESIS).start().run(4_515)
    for site in fleet.sites.values():
        site.stop()
    stores = [copy_of(site.store) for site in fleet.sites.values()]
    fleet.run(20_000)
    assert [contents(site.store) for site in fleet.sites.values()] == [contents(store) for store in stores]
    for site in fleet.sites.values():
        site.start()
    fleet.run(8_000)
    assert min(site.manager.chain.tree.root.height for site in fleet.sites.values()) > 6
