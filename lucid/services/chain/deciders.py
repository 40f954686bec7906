"""Who decides about a chain's nodes and rules, as the API tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lucid.api.answers import Deciders
from lucid.chain.administrators import Administrators, first_administrators

if TYPE_CHECKING:
    from lucid.chain.genesis import Genesis
    from lucid.machines.chain import Chain


def deciders(administrators: Administrators) -> Deciders:
    """A set as it is told."""
    return Deciders(tuple(key.hex() for key in administrators.keys), administrators.threshold)


def who_decides(chain: Chain, genesis: Genesis) -> tuple[Deciders, Deciders | None]:
    """Who does in this epoch, and who from the next one on, where that is decided."""
    decided = chain.administration
    if decided is None:
        return deciders(first_administrators(genesis)), None
    return deciders(decided.current), None if decided.following is None else deciders(decided.following)
