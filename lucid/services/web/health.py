"""How a service is: healthy, or in conditions that each have a remedy."""

from __future__ import annotations

import msgspec

STORE_FAILING = "store failing"
"""The condition of a store that cannot be used; the store logs it itself, with what it said."""


class Condition(msgspec.Struct, frozen=True):
    """What keeps a service from its work: a state's name, a sentence, and what can be done about it."""

    state: str
    sentence: str
    remedy: str = ""


class Health(msgspec.Struct, frozen=True, omit_defaults=True):
    """Whether a service can do its work, and if not, why: the sentences, and the conditions in full. `warnings` are of
    what will keep it from its work, and does not yet."""

    status: str
    service: str
    reasons: tuple[str, ...] = ()
    conditions: tuple[Condition, ...] = ()
    warnings: tuple[Condition, ...] = ()
