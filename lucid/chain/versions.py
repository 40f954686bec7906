"""Versions of the rules of a chain, and from which height on each holds (protocol section 12).

A rule that changes gets a version here, and whatever asks for it asks the ledger's `ChainRules`, never a release. Each
version holds all that the ones before it do, but for what it says itself.
"""

from __future__ import annotations

from lucid.chain.codec import Record
from lucid.chain.fields import Natural
from lucid.chain.genesis import Activation
from lucid.chain.placement import REPLICATION_FACTOR

FIRST_RULES = 1
"""What every chain begins with whose genesis document names no rules (section 12, Rules)."""
REPLICATION_RULES = 2
"""From here on administrators set how many copies a chunk has (section 12, Rules)."""
HOLDING_RULES = 3
"""From here on nodes say on the chain which chunks of a session they hold, again when that changes (section 8,
Holdings)."""
PROOF_RULES = 4
"""From here on nodes prove that they hold what they say, a sample of it each epoch, and are credited for that (section
5, Storage)."""
ADMINISTRATOR_RULES = 5
"""From here on administrators hand on to others (section 6, `set_administrators`)."""
RELAY_RULES = 6
"""From here on who brought a copy gets a share of what its first proof earns (section 5, Relay)."""
CAPACITY_RULES = 7
"""From here on nodes declare what they have room for, and weigh by that and by what they prove (section 8, Weights)."""
RULES_KNOWN = 7
"""The newest version that this release knows, which is `CAPACITY_RULES`. A node stops before a block of a newer one
(section 12). No setting: one that is told of more would fork."""


class ChainRules(Record):
    """Which rules hold, which are scheduled (version 0: none) from which height on, and what they let be set.

    Scheduled rules hold from the first epoch on that opens at that height or above, so within an epoch nothing changes.
    """

    version: Natural = FIRST_RULES
    next_version: Natural = 0
    next_height: Natural = 0
    replication_factor: Natural = REPLICATION_FACTOR

    def opening(self, height: int) -> ChainRules:
        """The rules of an epoch whose first block has this height, where these are those of the epoch before."""
        # With an epoch alone: its closing block is final, so no two forks differ in the rules of the next (section 12).
        if not self.next_version or height < self.next_height:
            return self
        return ChainRules(version=self.next_version, replication_factor=self.replication_factor)

    def scheduling(self, version: int, height: int) -> ChainRules:
        """The same rules with these scheduled in place of what was; none for version 0."""
        return ChainRules(self.version, version, height, self.replication_factor)


def first_rules(activation: Activation | None) -> ChainRules:
    """The rules before a chain's first block, by what its genesis document names."""
    if activation is None:
        return ChainRules()
    return ChainRules(FIRST_RULES, activation.version, activation.height).opening(1)
