"""Which rules the chain has and gets, and which validators know them (protocol section 12)."""

from __future__ import annotations

from collections.abc import Callable

from lucid.api.answers import LAST_MS, RulesState, ScheduledRules, ValidatorRules
from lucid.chain.genesis import Genesis
from lucid.machines.chain import Chain
from lucid.services.chain.deciders import who_decides
from lucid.services.web.health import Condition

TOO_OLD = "too old"
"""The condition of a node that stopped."""
UPGRADE_DUE = "upgrade due"
"""The condition of one that will."""


class Upgrading:
    """Looks at the chain for rules that this node or others do not know. `known` tells what each node said that it
    does, by its id."""

    def __init__(self, chain: Chain, genesis: Genesis, own: bytes, known: Callable[[], dict[bytes, int]]) -> None:
        self._chain = chain
        self._genesis = genesis
        self._own = own
        self._known = known

    def stopped(self) -> Condition | None:
        """What /health says of a node that took no part in the last epoch's opening."""
        halt = self._chain.halt() if self._chain.outdated else None
        return None if halt is None else too_old(halt.height, halt.rules)

    def due(self) -> Condition | None:
        """What it warns of before."""
        rules = self._chain.rules
        if self._chain.outdated or rules.next_version <= self._chain.rules_known:
            return None
        what = f"this node is too old for blocks from height {rules.next_height}: upgrade before"
        return Condition(UPGRADE_DUE, what, _remedy(rules.next_version))

    def state(self) -> RulesState:
        """All there is to know."""
        chain = self._chain
        rules, head = chain.rules, chain.tree.root.ledger.core.head
        scheduled = None
        if rules.next_version:
            ahead = max(0, rules.next_height - head.height)
            earliest_ms = min(LAST_MS, self._genesis.tick_ms(head.tick + ahead))
            scheduled = ScheduledRules(rules.next_version, rules.next_height, ahead, earliest_ms)
        known = self._known() | {self._own: chain.rules_known}
        needed = rules.next_version or rules.version
        following = chain.tree.root.ledger.next_validators
        names = {member.key: member.name for member in chain.tree.root.ledger.core.roster.members}
        validators = tuple(
            ValidatorRules(key.hex(), names[key], known.get(key), known.get(key, 0) >= needed) for key in following.keys
        )
        now, later = who_decides(chain, self._genesis)
        return RulesState(
            version=rules.version,
            known=chain.rules_known,
            replication_factor=rules.replication_factor,
            scheduled=scheduled,
            validators=validators,
            ready=sum(each.ready for each in validators),
            quorum=following.quorum,
            height=head.height,
            next_decision=chain.tree.root.ledger.core.roster.sequence,
            administrators=now,
            next_administrators=later,
        )


def too_old(height: int, rules: int) -> Condition:
    """A node has stopped before the block at a height, which is under rules that it does not know."""
    return Condition(TOO_OLD, f"this node is too old for blocks from height {height}: upgrade", _remedy(rules))


def _remedy(rules: int) -> str:
    return f"install a release that knows rules {rules}; `lucid chain rules` says who has one"
