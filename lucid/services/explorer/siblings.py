"""What the node's other services answer, for who looks at the node: whatever goes wrong is one 503."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import msgspec

from lucid.chain.errors import Code
from lucid.services.process.sibling import Sibling
from lucid.services.web.problems import Problem

T = TypeVar("T")


@contextmanager
def spoken(sibling: Sibling) -> Iterator[None]:
    """Raise `Problem` (503) where a service does not answer as it should, saying no more than which."""
    try:
        with sibling.understood():
            yield
    except Problem:
        raise Problem(Code.UNAVAILABLE, f"the node's {sibling.name} service does not answer") from None


async def answer(sibling: Sibling, path: str) -> tuple[int, Any]:
    """Status and JSON of what a service answers. Raises `Problem` (503)."""
    with spoken(sibling):
        status, data = await sibling.fetch(path)
        if status not in (200, 404, 409):
            raise Problem(Code.UNAVAILABLE)
        return status, msgspec.json.decode(data)


async def asked(sibling: Sibling, path: str, kind: type[T]) -> T:
    """What a service answers, of the type that it should be. Raises `Problem` (503)."""
    _, found = await answer(sibling, path)
    with spoken(sibling):
        return msgspec.convert(found, kind)
