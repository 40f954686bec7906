"""The network of an exploration: what all of its nodes share."""

from __future__ import annotations

from hashlib import blake2b

from harness.explore.scope import ExploreScope
from lucid.chain.genesis import Genesis, GenesisNode
from lucid.chain.parameters import Parameters
from lucid.ledger.memory import MemoryStore
from lucid.ledger.state import genesis_ledger
from lucid.ledger.turn import Turn
from lucid.ledger.validation import Validator
from lucid.machines.limits import Limits
from sim.crypto import ModeledCrypto
from sim.world import EPOCH_MS

CRYPTO = ModeledCrypto()
PARAMETERS = Parameters(
    block_interval_ms=10_000,
    slot_duration_ms=120_000,
    slot_timeout_ms=1_000,
    max_clock_drift_ms=400,
    max_block_transactions=1,
)
"""Ticks far apart, and room for a leader's own heartbeat alone, so that what else it knows makes no other block."""
LIMITS = Limits(
    snapshot_blocks=1_000_000,
    forgeries_a_minute=1_000_000,
    standings_a_second=1_000_000,
    requests_a_second=1_000_000,
)
"""No peer is ever turned away: how often it was heard before is no part of a state."""


class Setting:
    """What every node of an exploration shares: genesis, keys by place, crypto, limits, and the validator of blocks.

    Places are in the order in which validators lead the views on the genesis block, as long as no block is made.
    """

    def __init__(self, scope: ExploreScope) -> None:
        self.scope = scope
        secrets = [blake2b(b"explore %d" % number, digest_size=32).digest() for number in range(scope.nodes)]
        self.genesis = _genesis(secrets)
        self.secrets = _as_they_lead(self.genesis, secrets)
        self.keys = tuple([CRYPTO.public_key(each) for each in self.secrets])
        self.places = {key: place for place, key in enumerate(self.keys)}
        self.crypto = CRYPTO
        self.limits = LIMITS
        self.validator = Validator(self.genesis, CRYPTO)
        self.honest = tuple([place for place in range(scope.nodes) if place != scope.byzantine])
        self.quorum = 2 * scope.nodes // 3 + 1
        self.start_ms = EPOCH_MS + PARAMETERS.block_interval_ms


def _genesis(secrets: list[bytes]) -> Genesis:
    nodes = tuple([GenesisNode(CRYPTO.public_key(each), f"n{place:02}", "") for place, each in enumerate(secrets)])
    return Genesis(EPOCH_MS, nodes, (), 0, PARAMETERS).check()


def _as_they_lead(genesis: Genesis, secrets: list[bytes]) -> list[bytes]:
    """The secrets in the order of the views that their keys lead on the genesis block."""
    ledger = genesis_ledger(genesis, MemoryStore())
    turn = Turn(ledger, genesis.parameters)
    members = ledger.core.roster.members
    leaders = [members[turn.leader(view)].key for view in range(1, len(secrets) + 1)]
    return sorted(secrets, key=lambda each: leaders.index(CRYPTO.public_key(each)))
