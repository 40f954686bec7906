"""An engine that starts anew while its manager goes on, as services do when the connection between them breaks."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lucid.chain.votes import SKIP
from lucid.machines.decodedmessages import decode_message
from lucid.machines.effects import BlockBuilt, EngineJoined, Verdict, ViewContext
from lucid.machines.messages import CertificateMessage, VoteMessage
from tests.builders import Chain
from tests.machines.fleets import Fleet
from tests.machines.peers import NODES, Peer, tiny_genesis, told
from tests.machines.statements import certificate
from tests.machines.test_manager_engine import own_block, published

GENESIS = tiny_genesis(epoch_slots=100)
INTERVAL_MS = GENESIS.parameters.block_interval_ms
TIMEOUT_MS = GENESIS.parameters.slot_timeout_ms


def heights(fleet: Fleet) -> list[int]:
    """The final height of each node."""
    return [site.manager.chain.tree.root.height for site in fleet.sites.values()]


def test_it_is_told_where_the_chain_stands_and_what_it_may_vote_for() -> None:
    peer, chain = Peer(GENESIS), Chain(GENESIS)
    context = peer.manager.chain.context()
    effects = peer.step(EngineJoined())
    assert told(effects, ViewContext) == [context] and not told(effects, Verdict)
    chain, view, build = own_block(peer, chain)
    [built] = told(peer.step(build), BlockBuilt)
    verdicts = told(peer.step(published(peer, chain, view, built)), Verdict)
    assert [verdict.view for verdict in verdicts] == [view]
    effects = peer.step(EngineJoined())
    assert told(effects, ViewContext) == [peer.manager.chain.context()] and told(effects, Verdict) == verdicts
    peer.hear(CertificateMessage(certificate(chain, SKIP, view)))
    effects = peer.step(EngineJoined())
    assert [each.view for each in told(effects, ViewContext)] == [view + 1] and not told(effects, Verdict)


def test_a_lone_engine_goes_on_where_it_was() -> None:
    fleet = Fleet(tiny_genesis(1, epoch_slots=100), numbers=range(1)).start().run(3 * INTERVAL_MS + 100)
    for _ in range(5):
        [before] = heights(fleet)
        fleet.sites[0].restart_engine()
        fleet.run(INTERVAL_MS)
        assert heights(fleet) == [before + 1], "no view is lost"


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(restarts=st.lists(st.tuples(st.integers(0, NODES - 1), st.integers(0, 1_200)), min_size=1, max_size=12))
def test_engines_that_restart_at_any_moment_never_sign_twice_and_the_chain_goes_on(
    restarts: list[tuple[int, int]],
) -> None:
    fleet = Fleet(GENESIS).start()
    cast: dict[tuple[bytes, int, int, int], bytes] = {}

    def heard(sender: int, receiver: int, data: bytes) -> bool:
        message = decode_message(data)
        if isinstance(message, VoteMessage):
            vote = message.vote
            assert cast.setdefault((vote.signer, vote.epoch, vote.view, vote.kind), vote.block) == vote.block
        return True

    fleet.allow = heard
    for number, delay_ms in restarts:
        fleet.run(delay_ms)
        fleet.sites[number].restart_engine()
    reached = max(heights(fleet))
    fleet.run(4 * (INTERVAL_MS + TIMEOUT_MS))
    assert min(heights(fleet)) >= reached + 3
    assert cast
