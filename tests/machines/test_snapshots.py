"""Snapshots: taken in time, served in parts, and believed only as far as certificates from genesis on carry them."""

from __future__ import annotations

import pytest
from msgspec import structs

from lucid.chain.errors import Code
from lucid.chain.votes import SKIP
from lucid.ledger.rows import HEAD_KEY
from lucid.ledger.state import ROW_TABLE
from lucid.machines.chain import BLOCK_TABLE, UNFINAL_TABLE
from lucid.machines.decodedmessages import decode_message
from lucid.machines.effects import SYNC_TIMER, CaughtUp, Finalized, Forward, Observe
from lucid.machines.limits import DEFAULT_LIMITS, Limits
from lucid.machines.manager.download import PART_MS, START_MS
from lucid.machines.manager.snapshotrows import SNAPSHOT_TABLE
from lucid.machines.messages import (
    Blocks,
    BlocksRequest,
    CertificateMessage,
    Part,
    PartRequest,
    SnapshotOffer,
    Standing,
)
from tests.builders import Chain
from tests.machines.fleets import Fleet
from tests.machines.joining import EVERY, GENESIS, NEAR, SERVER, joiner, offered, rows_of, server, snapshot_height
from tests.machines.peers import Peer, converse, everything, facts, key_of, passing, refusals
from tests.machines.statements import certificate, proposal

# -- taking and serving ------------------------------------------------------------------------------------------


def test_a_snapshot_is_the_final_state_at_a_height() -> None:
    fleet = Fleet(GENESIS, limits=NEAR).start()
    site = fleet.sites[0]
    while site.manager.chain.tree.root.height < EVERY:
        assert not list(site.store.scan(SNAPSHOT_TABLE))
        fleet.run(100)
    rows = list(site.store.scan(ROW_TABLE))
    fleet.run(100)
    index = site.manager.snapshots.index
    assert index is not None
    assert (index.height, index.block) == (EVERY, site.manager.chain.tree.root.hash)
    assert rows_of(fleet.peer(0)) == rows
    assert fleet.peer(0).manager.snapshots.index == index, "it is found again after a restart"


def test_the_newest_snapshot_takes_the_place_of_the_older() -> None:
    fleet = Fleet(GENESIS, limits=structs.replace(NEAR, part_bytes=64)).start().run(10_000)
    site = fleet.sites[0]
    many = len(list(site.store.scan(SNAPSHOT_TABLE)))
    assert many > 3
    site.manager.snapshots.limits = NEAR
    fleet.run(10_000)
    index = site.manager.snapshots.index
    assert index is not None and index.height == 2 * EVERY
    assert len(list(site.store.scan(SNAPSHOT_TABLE))) == 1 + index.parts < many
    assert dict(rows_of(fleet.peer(0)))[HEAD_KEY]


def test_a_node_that_began_at_genesis_has_no_snapshot_to_take() -> None:
    peer = Peer(GENESIS, limits=Limits(snapshot_blocks=1))
    peer.manager.snapshots.due = True
    assert peer.manager.snapshots.take() == []
    assert peer.manager.snapshots.take() == [], "it is not due any more"


def test_a_snapshot_is_offered_to_who_is_far_behind_and_blocks_to_who_is_near() -> None:
    serving = server()
    index = serving.manager.snapshots.index
    assert index is not None
    assert isinstance(serving.answer(BlocksRequest(1, index.height - 4)), SnapshotOffer)
    assert isinstance(serving.answer(BlocksRequest(1, index.height - 3)), Blocks)


def test_blocks_are_served_when_the_snapshot_is_unusable() -> None:
    serving = server()
    index = serving.manager.snapshots.index
    assert index is not None
    serving.store.write([(BLOCK_TABLE, index.block, None)])
    assert isinstance(serving.answer(BlocksRequest(1, 1)), Blocks)


@pytest.mark.parametrize("other", ["height", "part"])
def test_a_part_that_is_not_kept_is_not_answered(other: str) -> None:
    serving = server()
    index = serving.manager.snapshots.index
    assert index is not None
    part = serving.answer(PartRequest(1, index.height, 0))
    assert isinstance(part, Part) and part.rows == serving.store.get(
        SNAPSHOT_TABLE, serving.manager.snapshots._hashes()[0]
    )
    request = PartRequest(1, index.height + 1, 0) if other == "height" else PartRequest(1, index.height, 77)
    assert serving.hear(request) == []
    assert Peer(GENESIS).hear(PartRequest(1, 0, 0)) == []


# -- joining late ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("part_bytes", [1 << 20, 64])
def test_a_late_joiner_ends_where_the_others_are(part_bytes: int) -> None:
    # No time passes in this conversation.
    serving = server().limited(part_bytes=part_bytes, requests_a_second=1_000_000)
    serving.manager.snapshots.due = True
    serving.manager.book.unsettled = True
    joining = joiner()
    converse([serving, joining])
    assert facts(joining.manager)["root"] == facts(serving.manager)["root"]
    assert facts(joining.manager) == facts(joining.restarted())
    assert joining.manager.chain.validators.keys == serving.manager.chain.validators.keys
    assert key_of(4) in joining.manager.chain.validators.index, "the fifth node is known from the certified ledger"
    told = [step for step in joining.steps if Observe(CaughtUp(snapshot_height(serving), True)) in step.effects]
    assert len(told) == 1
    assert any(isinstance(each, Forward) and isinstance(each.event, Finalized) for each in told[0].effects)
    tree = serving.manager.chain.tree
    joining.hear(Standing(tree.epoch, tree.entry_view + 1, tree.root.height, (), tree.entry), SERVER)
    assert joining.manager.chain.context() == serving.manager.chain.context()


def test_a_late_joiner_serves_what_it_holds_and_no_more() -> None:
    serving, joining = server(), joiner()
    converse([serving, joining])
    height = snapshot_height(serving)
    assert joining.answer(BlocksRequest(9, height - 2), 2) == Blocks(9, (), ()), "its blocks begin above"
    page = joining.answer(BlocksRequest(9, height + 1), 2)
    assert isinstance(page, Blocks)
    assert page.blocks[0].header.height == height + 1


def test_the_state_of_before_is_gone() -> None:
    """A node that was in the middle of an epoch starts over: nothing of its old fork tree or ledger is left."""
    chain = Chain(GENESIS)
    serving, joining = server(), joiner()
    _, request = joining.asked()
    own = proposal(chain, chain.anchor(999))
    joining.hear(own)
    joining.hear(CertificateMessage(certificate(chain, SKIP, 1)))
    joining.hear(serving.answer(request))
    _, request = joining.asked()
    joining.hear(serving.answer(request))
    assert joining.manager.chain.tree.root.height == snapshot_height(serving)
    assert list(joining.manager.chain.tree.nodes) == [joining.manager.chain.tree.root.hash]
    assert joining.store.get(BLOCK_TABLE, own.vote.block) is None
    assert list(joining.store.scan(UNFINAL_TABLE)) == []
    assert list(joining.store.scan(ROW_TABLE)) == rows_of(serving)
    assert facts(joining.manager) == facts(joining.restarted())
    assert passing(joining.manager)["proposals"] == passing(joining.manager)["waiting"] == {}


def test_a_snapshot_lets_nothing_of_an_older_epoch_stand_for_its_views() -> None:
    """Views are counted anew in each epoch: a leader that was caught in the old one is not a suspect in the new."""
    serving, joining, offer = offered()
    place = (1, key_of(2))
    joining.manager.pool.accused.add(place)
    joining.manager.pool.relayed.add(place)
    joining.hear(offer, SERVER)
    joining.hear(serving.answer(joining.asked()[1]), SERVER)
    assert joining.manager.chain.tree.root.height == snapshot_height(serving)
    assert not joining.manager.pool.accused and not joining.manager.pool.relayed


def test_who_has_installed_a_snapshot_serves_it() -> None:
    """Else a node that joins late could learn from the older ones only, until it takes a snapshot of its own."""
    serving = server().limited(requests_a_second=1_000_000)
    joining = joiner()
    converse([serving, joining])
    index = joining.manager.snapshots.index
    assert index is not None and index == serving.manager.snapshots.index
    assert rows_of(joining) == rows_of(serving)
    third = Peer(GENESIS, 2, limits=NEAR)
    third.hear(Standing(4, 1, joining.manager.chain.tree.root.height, (), None), 0)
    converse([joining.limited(requests_a_second=1_000_000), third])
    assert facts(third.manager)["root"] == facts(serving.manager)["root"]
    assert joining.copy().manager.snapshots.index == index, "also after a restart"


def test_a_download_that_takes_too_long_is_given_up() -> None:
    """True parts, each at the last moment, would else occupy a node for hours."""
    serving, joining = server().limited(part_bytes=64, requests_a_second=1_000_000), joiner()
    serving.manager.snapshots.due = True
    serving.manager.book.unsettled = True
    joining.hear(serving.answer(joining.asked()[1]), SERVER)
    asked = 0
    while joining.asked()[0] == SERVER:
        joining.now += 9_900
        joining.hear(serving.answer(joining.asked()[1]), SERVER)
        asked += 1
    index = serving.manager.snapshots.index
    assert index is not None and asked < index.parts
    assert joining.now - GENESIS.genesis_time_ms <= 60_000 + 2_000 * asked + 9_900, "long before the last part is due"


@pytest.mark.parametrize("apart_ms", [0, 500, 999])
def test_parts_that_come_at_once_are_asked_for_no_faster_than_they_are_served(apart_ms: int) -> None:
    """Else a snapshot of many small parts stops after each second's worth of them, and is given up."""
    serving, joining = server().limited(part_bytes=64), joiner()
    serving.manager.snapshots.due = True
    serving.manager.book.unsettled = True
    # Seconds of the two clocks turn at different moments.
    serving.now = joining.now + apart_ms
    rounds = 0
    while joining.manager.chain.tree.root.height == 0:
        rounds += 1
        before = joining.now
        mail, joining.outbox = joining.outbox, []
        if not mail:
            joining.fire(SYNC_TIMER)
            serving.now += joining.now - before
        for receiver, data in mail:
            if receiver == serving.key:
                joining.hear(serving.answer(decode_message(data)), SERVER)
    index = serving.manager.snapshots.index
    assert index is not None and index.parts > DEFAULT_LIMITS.requests_a_second
    refused = [step for step in serving.steps if Code.THROTTLED in refusals(step.effects)]
    assert not refused and rounds < index.parts + 20


def test_what_a_download_left_behind_goes_with_the_next() -> None:
    serving, joining = server().limited(part_bytes=64, requests_a_second=1_000_000), joiner()
    serving.manager.snapshots.due = True
    serving.manager.book.unsettled = True
    joining.store.write([(SNAPSHOT_TABLE, bytes(32), b"left by an older one")])
    joining.hear(serving.answer(joining.asked()[1]), SERVER)
    assert list(joining.store.scan(SNAPSHOT_TABLE)) == []
    joining.hear(serving.answer(joining.asked()[1]), SERVER)
    assert len(list(joining.store.scan(SNAPSHOT_TABLE))) == 1, "each part is kept in the store as it comes"


def test_what_is_certified_above_a_snapshot_is_kept() -> None:
    """Certificates above the last final block are facts that a restart, or a snapshot, must not lose (section 4)."""
    fleet = Fleet(GENESIS, limits=Limits(snapshot_blocks=5, snapshot_gap=4)).start().run(8_000)
    serving = fleet.peer(SERVER)
    joining = Peer(GENESIS, limits=Limits(snapshot_blocks=5, snapshot_gap=4))
    chain = fleet.signer
    joining.hear(Standing(0, 1, 8, (), None), SERVER)
    _, request = joining.asked()
    for view in (2, 6, 7):
        joining.hear(CertificateMessage(certificate(chain, SKIP, view)))
    joining.hear(serving.answer(request))
    _, request = joining.asked()
    joining.hear(serving.answer(request))
    assert joining.manager.chain.tree.root.height == 5
    assert sorted(joining.manager.chain.tree.certificates) == [(6, SKIP), (7, SKIP)]
    assert joining.manager.chain.tree.entry_view == 7
    assert facts(joining.manager) == facts(joining.restarted())


def test_what_is_final_stays_final_when_the_last_part_comes_late() -> None:
    """Whoever serves a snapshot chooses when its last part comes; by then this node may be far beyond it."""
    serving, joining, offer = offered()
    joining.hear(offer)
    number, request = joining.asked()
    last = serving.answer(request)
    ahead = joining.copy()
    ahead.hear(Standing(4, 1, 36, (), None), SERVER)
    replay_blocks(ahead, serving)
    # The same node, with its question still open.
    joining.store = ahead.store
    joining.manager.chain = ahead.manager.chain
    joining.manager.syncing.chain = ahead.manager.chain
    before = everything(joining)
    assert refusals(joining.hear(last, number)) == [Code.SNAPSHOT_INVALID]
    assert everything(joining) == before


def replay_blocks(peer: Peer, serving: Peer) -> None:
    """Let a peer catch up by blocks alone."""
    converse([peer, serving.limited(snapshot_gap=10_000)])
    assert peer.manager.chain.tree.root.height >= snapshot_height(serving)


def replaced() -> tuple[Fleet, Peer, PartRequest]:
    """A fleet whose next snapshot is taken while a joiner fetches one, and what that asks for next."""
    fleet = Fleet(GENESIS, limits=structs.replace(NEAR, part_bytes=64)).start().run(10_000)
    serving = fleet.peer(SERVER)
    joining = Peer(GENESIS, limits=NEAR)
    joining.hear(Standing(1, 1, 9, (), None), SERVER)
    joining.hear(serving.answer(joining.asked()[1]), SERVER)
    joining.hear(serving.answer(joining.asked()[1]), SERVER)
    _, request = joining.asked()
    assert isinstance(request, PartRequest) and request.part == 1
    fleet.run(10_000)
    return fleet, joining, request


def test_a_snapshot_that_is_replaced_while_it_is_fetched_is_offered_anew() -> None:
    fleet, joining, request = replaced()
    later = fleet.peer(SERVER)
    offer = later.answer(request)
    assert isinstance(offer, SnapshotOffer) and offer.block.header.height > request.height
    joining.hear(offer, SERVER)
    converse([joining, later])
    height = joining.manager.chain.tree.root.height
    assert height >= offer.block.header.height, "the server has not lost its turn"


@pytest.mark.parametrize(("over_ms", "refused"), [(0, []), (1, [Code.SNAPSHOT_INVALID])])
def test_who_offers_ever_newer_snapshots_has_no_more_time_than_for_one(over_ms: int, refused: list[Code]) -> None:
    fleet, joining, request = replaced()
    offer = fleet.peer(SERVER).answer(request)
    joining.now += START_MS + 2 * PART_MS + over_ms
    assert refusals(joining.hear(offer, SERVER)) == refused


def test_a_snapshot_of_many_parts_is_joined_though_each_is_replaced_long_before_its_last_part() -> None:
    limits = structs.replace(NEAR, part_bytes=64, requests_a_second=1_000_000)
    fleet = Fleet(GENESIS, limits=limits).start()
    for number in range(60):
        fleet.submit(number % 4, fleet.signer.anchor(number))
    fleet.run(10_000)
    joining = Peer(GENESIS, limits=limits)
    joining.hear(Standing(1, 1, 9, (), None), SERVER)
    fetched, parts = 0, 0
    for _ in range(20):
        serving = fleet.peer(SERVER)
        assert serving.manager.snapshots.index is not None
        parts = serving.manager.snapshots.index.parts
        for _ in range(1 + parts // 2):
            if joining.manager.chain.tree.root.height == 0:
                fetched += 1
                joining.hear(serving.answer(joining.asked()[1]), SERVER)
        fleet.run(EVERY * 1_000)
    assert joining.manager.chain.tree.root.height > 0
    assert parts > 60 and fetched < 3 * parts, "only what has changed is fetched again"
