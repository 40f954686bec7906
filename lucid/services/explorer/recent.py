"""What another service said a moment ago: asked once for all who want to know, and not again at once."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import trio

from lucid.services.web.problems import Problem

T = TypeVar("T")


class Recent(Generic[T]):
    """An answer, or the problem that there was instead, at most `keep_s` old. Whoever wants it while it is asked for
    waits for the same one."""

    def __init__(self, ask: Callable[[], Awaitable[T]], keep_s: float) -> None:
        self._ask = ask
        self._keep_s = keep_s
        self._asking = trio.Lock()
        self._held: tuple[float, Callable[[], T]] | None = None

    async def get(self) -> T:
        """The answer. Raises `Problem`."""
        async with self._asking:
            if self._held is None or time.monotonic() - self._held[0] > self._keep_s:
                outcome = await self._outcome()
                self._held = time.monotonic(), outcome
            return self._held[1]()

    async def _outcome(self) -> Callable[[], T]:
        try:
            answer = await self._ask()
        except Problem as problem:
            held = problem

            def fail() -> T:
                # Each who asks gets one of its own: an exception that is raised again and again grows.
                raise Problem(held.code, held.detail, held.details, held.headers, status=held.status)

            return fail
        return lambda: answer
