"""What most tests of the manager begin with."""

from __future__ import annotations

import pytest

from lucid.machines.messages import Proposal
from tests.builders import Chain
from tests.machines.peers import Peer, tiny_genesis
from tests.machines.statements import close_epoch

GENESIS = tiny_genesis()


@pytest.fixture
def chain() -> Chain:
    """The chain as its leaders make it, before anyone hears of it."""
    return Chain(GENESIS)


@pytest.fixture
def peer() -> Peer:
    """A manager at genesis."""
    return Peer(GENESIS)


@pytest.fixture
def closed(peer: Peer, chain: Chain) -> Proposal:
    """The proposal of a block that closes the epoch and is notarized; the peer holds it."""
    return close_epoch(peer, chain)
