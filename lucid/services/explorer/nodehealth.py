"""How a node's four services are: this one, and what the others say of themselves, or that they do not answer."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import trio

from lucid.chain.printable import printable
from lucid.services.process.sibling import Sibling
from lucid.services.web.health import Condition, Health
from lucid.services.web.problems import Problem

HEALTH_S = 2.0
"""How long another service has to say how it is."""


class NodeHealth(msgspec.Struct, frozen=True):
    """How the node's four services are."""

    services: tuple[Health, ...]


def own_health(service: str, conditions: tuple[Condition, ...]) -> Health:
    """How the service is that is asked."""
    status = "degraded" if conditions else "healthy"
    return Health(status, service, tuple(each.sentence for each in conditions), conditions)


async def health_of(siblings: Mapping[str, Sibling]) -> tuple[Health, ...]:
    """How some of a node's services are, by name, in their order."""
    found: dict[str, Health] = {}

    async def ask(name: str, sibling: Sibling) -> None:
        found[name] = await _health(name, sibling)

    async with trio.open_nursery() as nursery:
        for name, sibling in siblings.items():
            nursery.start_soon(ask, name, sibling)
    return tuple(found[name] for name in siblings)


async def _health(name: str, sibling: Sibling) -> Health:
    """What a service says of itself, as it may be shown."""
    try:
        status, body = await sibling.fetch("/health", HEALTH_S)
        with sibling.understood():
            said = msgspec.json.decode(body, type=Health)
    except Problem:
        return _away(name)
    if status not in (200, 503):
        return _away(name)
    conditions = tuple(
        Condition(printable(each.state), printable(each.sentence), printable(each.remedy)) for each in said.conditions
    )
    return Health(printable(said.status), name, tuple(each.sentence for each in conditions), conditions)


def _away(name: str) -> Health:
    sentence = "it does not answer"
    return Health("away", name, (sentence,), (Condition("away", sentence, "see that it runs, and read its log"),))
