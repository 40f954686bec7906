"""Lists in pages, from a node that may lie: they go on in order and end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol, TypeVar

from lucid.chain.errors import Code
from lucid.client.calls import Call, ClientError
from lucid.client.http import Client

MAX_ROWS = 1_000_000
"""More is not listed."""


class _Page(Protocol):
    @property
    def after(self) -> str | None: ...


P = TypeVar("P", bound=_Page)
R = TypeVar("R")


def listed(client: Client, call: Callable[[str], Call[P]], rows: Callable[[P], tuple[R, ...]]) -> Iterator[R]:
    """All rows of a list, page by page. `call` asks for the page after a place, `rows` are those of a page.

    Raises `ClientError`, also for pages that do not go on or never end.
    """
    after, count = "", 0
    while True:
        page = client.send(call(after))
        found = rows(page)
        yield from found
        count += len(found)
        if page.after is None:
            return
        if not found or page.after <= after:
            raise ClientError(Code.MALFORMED, f"{client.name}: its pages do not go on")
        if count > MAX_ROWS:
            raise ClientError(Code.TOO_LARGE, f"{client.name}: it lists more than {MAX_ROWS}")
        after = page.after
