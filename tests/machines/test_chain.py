"""The chain of one node: finality, forks, epochs, and that its store holds all that it knows."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest
from msgspec import structs

from lucid.chain.closings import EpochClosing
from lucid.chain.codec import decode, encode
from lucid.chain.errors import Code
from lucid.chain.votes import FINALIZE, NOTARIZE, PROPOSE, SKIP
from lucid.ledger.memory import MemoryStore
from lucid.ledger.rowstore import RowLost
from lucid.machines.chain import (
    BLOCK_TABLE,
    CERTIFICATE_TABLE,
    CLOSING_TABLE,
    FINALITY_TABLE,
    HEIGHT_TABLE,
    ROOT_KEY,
    ROOT_TABLE,
    UNFINAL_TABLE,
    height_key,
)
from lucid.machines.effects import (
    BlockBuilt,
    BlockFinal,
    Build,
    CertificateStored,
    Finalized,
    Forward,
    Observe,
    Verdict,
)
from lucid.machines.manager import Manager
from lucid.machines.messages import CertificateMessage, Proposal
from tests.builders import CRYPTO, Chain
from tests.machines.fleets import Fleet, Site
from tests.machines.peers import Peer, facts, key_of, passing, refusals, tiny_genesis, told, writes_of
from tests.machines.statements import again, certificate, extend, finalize, proposal

GENESIS = tiny_genesis()
LAST_VIEW = GENESIS.parameters.epoch_views


def in_order(site: Site) -> Iterator[tuple[Manager, MemoryStore]]:
    """Run a recorded manager again; it must do the same, byte for byte. Yields it and its store after each step."""
    store = MemoryStore()
    fleet = site.fleet
    peers = tuple([key for key in fleet.numbers if key != site.key])
    manager = Manager(site.key, fleet.genesis, CRYPTO, store, peers, fleet.limits)
    for now, event, effects in site.steps:
        assert manager.handle(now, event) == effects
        for each in writes_of(effects):
            store.write(each.writes)
        yield manager, store


def lossy(fleet: Fleet) -> Fleet:
    """A network that loses every seventh message, and more from one node: views are skipped, blocks come late."""
    count = 0

    def allow(sender: int, receiver: int, data: bytes) -> bool:
        nonlocal count
        count += 1
        return count % 5 != 0 and not (sender == 2 and count % 3 == 0)

    fleet.allow = allow
    return fleet


@pytest.mark.parametrize("network", ["clean", "lossy"])
def test_the_store_holds_all_that_is_known_after_every_step(network: str) -> None:
    fleet = Fleet(GENESIS)
    if network == "lossy":
        lossy(fleet)
    fleet.start()
    for number in range(24):
        fleet.submit(number % 4, fleet.signer.anchor(number))
        fleet.run(1_000)
    epochs, skips, heights = set(), set(), [0]
    for manager, store in in_order(fleet.sites[1]):
        restarted = Manager(manager.key, GENESIS, CRYPTO, store, manager.peers)
        assert facts(restarted) == facts(manager)
        if manager.chain.tree.entry_view >= manager.chain.tree.root.certified:
            assert restarted.chain.context() == manager.chain.context()
        tree = manager.chain.tree
        epochs.add(tree.epoch)
        skips |= {subject for subject in tree.certificates if subject[1] == SKIP}
        heights.append(tree.root.height)
    assert len(epochs) > 1
    steps = {after - before for before, after in pairwise(heights)}
    assert (bool(skips), max(steps) > 1) == ((False, False) if network == "clean" else (True, True))


# -- finality ----------------------------------------------------------------------------------------------------


def test_a_final_block_takes_its_ancestors_along(peer: Peer, chain: Chain) -> None:
    proposals = extend(peer, chain, 1, 2, 3)
    effects = peer.hear(CertificateMessage(certificate(chain, FINALIZE, 3, chain.hash)))
    final = [effect.fact for effect in effects if isinstance(effect, Observe) and isinstance(effect.fact, BlockFinal)]
    assert [(fact.height, fact.hash) for fact in final] == [
        (height, each.vote.block) for height, each in enumerate(proposals, 1)
    ]
    [told] = [effect.event for effect in effects if isinstance(effect, Forward) and isinstance(effect.event, Finalized)]
    assert told.height == 3
    for height, each in enumerate(proposals, 1):
        assert peer.manager.chain.block_at(height) == each.block, "final blocks stay"
    assert peer.manager.chain.block_at(4) is None
    assert peer.manager.chain.finality_at(3) is not None
    assert peer.manager.chain.finality_at(3) == peer.manager.chain.final_certificate
    assert peer.manager.chain.finality_at(2) is None, "it was not finalized directly"
    assert list(peer.store.scan(UNFINAL_TABLE)) == []


def test_a_block_whose_row_became_another_is_damage_and_never_given_out(peer: Peer, chain: Chain) -> None:
    first, second, third = extend(peer, chain, 1, 2, 3)
    peer.hear(CertificateMessage(certificate(chain, FINALIZE, 3, chain.hash)))
    held, hash_ = peer.manager.chain, second.vote.block
    other_body = structs.replace(second.block, transactions=third.block.transactions[:0], late_votes=())
    other_body = structs.replace(other_body, parent_certificate=third.block.parent_certificate)
    for data in (encode(first.block), encode(other_body), b"\xff"):
        peer.store.write([(BLOCK_TABLE, hash_, data)])
        with pytest.raises(RowLost) as found:
            held.block(hash_)
        assert (found.value.table, found.value.key) == (BLOCK_TABLE, hash_)
        with pytest.raises(RowLost):
            held.block_at(2)
    peer.store.write([(BLOCK_TABLE, hash_, None)])
    assert held.block(hash_) is None
    with pytest.raises(RowLost) as found:
        held.block_at(2)
    assert (found.value.table, found.value.key) == (BLOCK_TABLE, hash_)
    peer.store.write([(HEIGHT_TABLE, height_key(2), third.vote.block)])
    with pytest.raises(RowLost) as found:
        held.block_at(2)
    assert (found.value.table, found.value.key) == (HEIGHT_TABLE, height_key(2))
    assert held.block_at(1) == first.block and held.block_at(3) == third.block


@pytest.mark.parametrize("lost", ["root", "root's block", "finality", "another's finality", "unfinal", "its parent"])
def test_a_start_from_rows_of_which_one_is_as_it_was_before_names_it(peer: Peer, chain: Chain, lost: str) -> None:
    """A write that a card put elsewhere: each row reads well, and the state must not be taken for another block's."""
    first, second, third, fourth = extend(peer, chain, 1, 2, 3, 4)
    for each in (first, second):
        finalize(peer, chain, each)
    at = {each: (FINALITY_TABLE, height_key(each)) for each in (1, 2)}
    other = peer.store.get(*at[1])
    row, held = {
        "root": ((ROOT_TABLE, ROOT_KEY), first.vote.block),
        "root's block": ((BLOCK_TABLE, second.vote.block), None),
        "finality": (at[2], None),
        "another's finality": (at[2], other),
        "unfinal": ((BLOCK_TABLE, fourth.vote.block), None),
        "its parent": ((BLOCK_TABLE, third.vote.block), None),
    }[lost]
    peer.restarted()
    peer.store.write([(*row, held)])
    if lost == "its parent":
        peer.store.write([(UNFINAL_TABLE, third.vote.block, None)])
    with pytest.raises(RowLost) as found:
        peer.restarted()
    assert (found.value.table, found.value.key) == row


def test_forks_are_dropped_for_good(peer: Peer, chain: Chain) -> None:
    fork = chain.copy()
    [kept] = extend(peer, chain, 1)
    for view in (2,):
        peer.hear(CertificateMessage(certificate(chain, SKIP, view)))
    peer.hear(CertificateMessage(certificate(chain, SKIP, 1)))
    loser = proposal(fork, view=3)
    assert not refusals(peer.hear(loser))
    on_loser = proposal(fork, view=4)
    peer.hear(CertificateMessage(certificate(fork, NOTARIZE, 3, loser.vote.block)))
    assert not refusals(peer.hear(on_loser))
    assert len(peer.manager.chain.tree.nodes) == 4
    finalize(peer, chain, kept)
    assert [hash_ for hash_, _ in peer.store.scan(BLOCK_TABLE)] == [kept.vote.block]
    assert list(peer.store.scan(UNFINAL_TABLE)) == []
    assert facts(peer.restarted()) == facts(peer.manager)
    child = proposal(fork, view=5)
    assert refusals(peer.hear(child)) == [], "it waits for a parent that never comes"
    assert child.vote.block not in peer.manager.chain.tree.nodes


def test_what_is_certified_before_the_root_goes(peer: Peer, chain: Chain) -> None:
    _, second, third = extend(peer, chain, 2, 4, 5)
    kept = sorted(peer.manager.chain.tree.certificates)
    assert kept == [(1, SKIP), (2, NOTARIZE), (3, SKIP), (4, NOTARIZE), (5, NOTARIZE)]
    finalize(peer, chain, second)
    assert sorted(peer.manager.chain.tree.certificates) == [(4, NOTARIZE), (5, NOTARIZE)]
    assert len(list(peer.store.scan(CERTIFICATE_TABLE))) == 2
    assert peer.manager.chain.tree.best.hash == third.vote.block
    assert facts(peer.restarted()) == facts(peer.manager)


def test_a_finality_certificate_waits_for_its_block(peer: Peer, chain: Chain) -> None:
    first, second = proposal(chain, view=1), proposal(chain, view=2)
    peer.hear(first)
    peer.hear(CertificateMessage(certificate(chain, NOTARIZE, 1, first.vote.block)))
    final = certificate(chain, FINALIZE, 2, second.vote.block)
    peer.hear(CertificateMessage(final))
    assert peer.manager.chain.pending_final == final
    assert peer.manager.chain.tree.root.height == 0
    older = certificate(chain, FINALIZE, 1, first.vote.block)
    peer.hear(CertificateMessage(older))
    assert peer.manager.chain.tree.root.height == 1, "what is at hand does not wait for what may never come"
    assert peer.manager.chain.pending_final == final
    assert not refusals(peer.hear(second))
    assert peer.manager.chain.tree.root.height == 2
    assert passing(peer.manager)["pending"] is None
    assert peer.manager.chain.final_certificate == final


def test_a_later_finality_certificate_takes_the_place_of_one_that_waits(peer: Peer, chain: Chain) -> None:
    proposals = [proposal(chain, view=view) for view in (1, 2)]
    finals = [certificate(chain, FINALIZE, each.vote.view, each.vote.block) for each in proposals]
    for final in finals:
        peer.hear(CertificateMessage(final))
        assert peer.manager.chain.pending_final == final
    peer.hear(proposals[0])
    assert peer.manager.chain.tree.root.height == 0
    peer.hear(proposals[1])
    assert peer.manager.chain.tree.root.height == 2


def test_a_finality_certificate_still_waits_for_a_block_above_the_new_root(peer: Peer, chain: Chain) -> None:
    first, second, third = (proposal(chain, view=view) for view in (1, 2, 3))
    peer.hear(first)
    waiting = certificate(chain, FINALIZE, 3, third.vote.block)
    peer.hear(CertificateMessage(waiting))
    # Its own engine counts the votes for an older block to the end.
    manager = peer.manager
    node = manager.chain.tree.nodes[first.vote.block]
    _, writes = manager.chain.finalize(node, certificate(chain, FINALIZE, 1, first.vote.block))
    peer.store.write(writes)
    assert manager.chain.pending_final == waiting
    peer.hear(second)
    peer.hear(third)
    assert manager.chain.tree.root.hash == third.vote.block


# -- epochs ------------------------------------------------------------------------------------------------------


def test_a_final_closing_block_opens_an_epoch(peer: Peer, chain: Chain) -> None:
    first, closing = extend(peer, chain, 1, LAST_VIEW)
    finalize(peer, chain, first)
    facts_of = peer.manager.chain
    assert (facts_of.tree.epoch, facts_of.context().closing) == (0, True)
    finalize(peer, chain, closing)
    context = facts_of.context()
    assert (facts_of.tree.epoch, context.epoch, context.view, context.parent_view) == (1, 1, 1, 0)
    assert (context.closing, context.ready, context.entry) == (False, True, facts_of.final_certificate)
    assert facts_of.parent_certificate() == facts_of.final_certificate
    assert list(peer.store.scan(CERTIFICATE_TABLE)) == []
    [(key, data)] = peer.store.scan(CLOSING_TABLE)
    assert key == height_key(0)
    assert decode(data, EpochClosing).certificate == facts_of.final_certificate
    assert facts(peer.restarted()) == facts(peer.manager)
    assert peer.restarted().chain.context() == context


def test_views_of_an_epoch_count_from_one_whatever_the_view_of_the_block_that_opened_it(
    peer: Peer, chain: Chain
) -> None:
    [closing] = extend(peer, chain, LAST_VIEW + 5)
    finalize(peer, chain, closing)
    first, second = extend(peer, chain, 1, 2)
    assert peer.manager.chain.tree.entry_view == 2
    finalize(peer, chain, second)
    assert peer.manager.chain.block_at(2) == first.block


def test_a_closing_block_is_final_by_a_later_view_too(peer: Peer, chain: Chain) -> None:
    [closing] = extend(peer, chain, LAST_VIEW)
    repeat = again(chain, closing.block, LAST_VIEW + 1)
    assert not refusals(peer.hear(repeat))
    peer.hear(CertificateMessage(certificate(chain, NOTARIZE, LAST_VIEW + 1, closing.vote.block)))
    assert peer.manager.chain.tree.best.certified == LAST_VIEW + 1
    finalize(peer, chain, closing, LAST_VIEW + 1)
    assert peer.manager.chain.tree.epoch == 1
    extend(peer, chain, 1)


def test_nothing_is_built_on_a_closing_block_within_its_epoch(peer: Peer, chain: Chain) -> None:
    extend(peer, chain, LAST_VIEW)
    leader = chain.leader(LAST_VIEW + 1).key
    built = chain.seal(chain.build(view=LAST_VIEW + 1, certificate=certificate(chain, NOTARIZE, LAST_VIEW, chain.hash)))
    block = chain.resign(built, epoch=0)
    vote = chain.vote(leader, PROPOSE, block.header.hash, LAST_VIEW + 1)
    before = facts(peer.manager)
    assert refusals(peer.hear(Proposal(vote, block, None))) == [Code.BLOCK_CLOSED]
    assert facts(peer.manager) == before


def test_a_registered_node_counts_from_the_next_epoch_on(peer: Peer, chain: Chain) -> None:
    first = proposal(chain, chain.register(4, 0), view=1)
    peer.hear(first)
    peer.hear(CertificateMessage(certificate(chain, NOTARIZE, 1, first.vote.block)))
    [closing] = extend(peer, chain, LAST_VIEW)
    assert key_of(4) not in peer.manager.chain.validators.index
    finalize(peer, chain, closing)
    assert key_of(4) in peer.manager.chain.validators.index
    assert peer.manager.chain.context().validators == peer.manager.chain.validators.keys
    second = proposal(chain, view=1)
    peer.hear(second)
    old_set = certificate(chain, NOTARIZE, 1, second.vote.block, 1)
    assert refusals(peer.hear(CertificateMessage(old_set))) == [Code.CERTIFICATE_INVALID]
    new_set = certificate(chain, NOTARIZE, 1, second.vote.block, 1, range(5))
    peer.hear(CertificateMessage(new_set))
    assert peer.manager.chain.tree.best.hash == second.vote.block
    assert facts(peer.restarted()) == facts(peer.manager)
    peer.hear(CertificateMessage(certificate(chain, FINALIZE, 1, second.vote.block, 1, range(5))))
    assert peer.restarted().chain.validators.keys == peer.manager.chain.validators.keys


# -- limits ------------------------------------------------------------------------------------------------------


def test_blocks_that_nobody_certified_are_bounded(peer: Peer, chain: Chain) -> None:
    """The one of the lowest view goes; if it is certified after all, it is asked for again."""
    peer.limited(max_uncertified=3)
    start = chain.copy()
    proposals = []
    for view in range(1, 7):
        proposals.append(proposal(start.copy(), view=view))
        assert not refusals(peer.hear(proposals[-1]))
        peer.hear(CertificateMessage(certificate(chain, SKIP, view)))
        assert facts(peer.manager) == facts(peer.restarted())
    hashes = [each.vote.block for each in proposals]
    assert [hash_ in peer.manager.chain.tree.nodes for hash_ in hashes] == [False] * 3 + [True] * 3
    assert len(list(peer.store.scan(UNFINAL_TABLE))) == 3
    peer.hear(CertificateMessage(certificate(chain, NOTARIZE, 2, hashes[1])))
    assert hashes[1] in peer.manager.chain.tree.wanted
    assert not refusals(peer.hear(proposals[1]))
    assert peer.manager.chain.tree.best.hash == hashes[1]


def test_however_many_blocks_wait_for_finality_the_next_is_taken(peer: Peer, chain: Chain) -> None:
    """A bound on them would be a cliff: beyond it nothing could ever become final, and no node could start."""
    peer.limited(max_uncertified=2)
    proposals = extend(peer, chain, *range(1, LAST_VIEW))
    assert len(peer.manager.chain.tree.nodes) == len(proposals) + 1 > 3
    assert facts(peer.manager) == facts(peer.restarted())
    finalize(peer, chain, proposals[-1])


@pytest.mark.parametrize("full", [3, 4])
def test_a_leader_on_many_unfinal_blocks_leaves_transactions_out(peer: Peer, chain: Chain, full: int) -> None:
    """Their ledgers are kept in memory until they are final."""
    peer.limited(full_unfinal=full)
    extend(peer, chain, 1, 2, 3)
    context = peer.manager.chain.context()
    proof = CRYPTO.vrf_prove(chain.secret_of(context.leader), context.beacon)
    build = Build(4, context.parent, context.parent_tick + 1, proof, (), (chain.endorse(chain.anchor()),))
    assert told(peer.step(build), BlockBuilt)
    made = peer.manager.leading.built
    assert made is not None and len(made.transactions) == (full > 3)


@pytest.mark.parametrize("parent", ["at hand", "lacking"])
def test_a_closing_block_that_comes_again_is_taken_by_who_missed_it(peer: Peer, chain: Chain, parent: str) -> None:
    """Its notarization comes with it; who missed both would else refuse every repeat, and build on an older block."""
    before = proposal(chain, view=1)
    if parent == "at hand":
        peer.hear(before)
    peer.hear(CertificateMessage(certificate(chain, NOTARIZE, 1, before.vote.block)))
    closing = proposal(chain, view=LAST_VIEW)
    repeat = again(chain, closing.block, LAST_VIEW + 2)
    for view in (*range(2, LAST_VIEW), LAST_VIEW + 1):
        peer.hear(CertificateMessage(certificate(chain, SKIP, view)))
    assert refusals(peer.hear(repeat)) == []
    if parent == "lacking":
        peer.hear(before)
    tree = peer.manager.chain.tree
    assert tree.best.hash == closing.vote.block and tree.best.certified == LAST_VIEW
    verdicts = [verdict for step in peer.steps for verdict in told(step.effects, Verdict)]
    assert (verdicts[-1].view, verdicts[-1].block, verdicts[-1].fresh) == (LAST_VIEW + 2, closing.vote.block, False)
    assert facts(peer.manager) == facts(peer.restarted())


def test_the_context_is_not_ready_before_the_notarized_block_is_at_hand(peer: Peer, chain: Chain) -> None:
    extend(peer, chain, 1)
    missing = proposal(chain, view=2)
    effects = peer.hear(CertificateMessage(certificate(chain, NOTARIZE, 2, missing.vote.block)))
    [stored] = [
        effect.event
        for effect in effects
        if isinstance(effect, Forward) and isinstance(effect.event, CertificateStored)
    ]
    assert (stored.held, stored.context.ready, stored.context.view) == (False, False, 3)
    effects = peer.hear(missing)
    [stored] = [
        effect.event
        for effect in effects
        if isinstance(effect, Forward) and isinstance(effect.event, CertificateStored)
    ]
    assert (stored.held, stored.context.ready) == (True, True)
    assert stored.context.parent == missing.vote.block
