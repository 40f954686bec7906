"""Another service of a node that gives one answer to everything."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from lucid.chain.errors import Code
from lucid.services.web.problems import Problem


class Other:
    """A service that answers so."""

    name = "data"

    def __init__(self, status: int, body: bytes) -> None:
        self.status, self.body = status, body

    async def fetch(self, path: str, wait_s: float = 0) -> tuple[int, bytes]:
        """See `Sibling`."""
        return self.status, self.body

    @contextmanager
    def understood(self) -> Iterator[None]:
        """See `Sibling`."""
        try:
            yield
        except msgspec.MsgspecError:
            raise Problem(Code.UNAVAILABLE, "127.0.0.1:8087 said what is no JSON") from None
