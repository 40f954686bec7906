"""Changes that go on after their caller was told to come back: a store without room takes them once it has some."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

import trio

from lucid.api.errors import BUSY
from lucid.chain.errors import Code
from lucid.services.web.asking import ANSWER_S
from lucid.services.web.problems import Problem
from lucid.storage.durable import DurableStore

MAX_LASTING = 64
"""Changes under way at once."""

T = TypeVar("T")

_log = logging.getLogger("lucid.web")


class Lasting:
    """Carries out changes of a store, each in a task of its own; `run` is where those tasks live."""

    def __init__(self, store: DurableStore, within_s: float = ANSWER_S) -> None:
        self._store = store
        self._within_s = within_s
        self._tasks: trio.Nursery | None = None
        self._count = 0

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Hold the tasks, forever."""
        try:
            async with trio.open_nursery() as self._tasks:
                task_status.started()
                await trio.sleep_forever()
        finally:
            self._tasks = None

    async def carry_out(self, change: Callable[[], Awaitable[T]], within_s: float | None = None) -> T:
        """What a change returns. Raises what it does, and `Problem` with the store's reason where it is not done within
        the time that a caller waits, or `within_s`: it goes on then, and may be asked for again."""
        if self._tasks is None:
            raise Problem(*self._ailment("this service makes no more changes"))
        if self._count >= MAX_LASTING:
            raise Problem(Code.TOO_MANY, "too many changes wait for the store", status=BUSY)
        results, failures, done = list[T](), list[Exception](), trio.Event()

        async def carry() -> None:
            try:
                results.append(await change())
            except Exception as error:  # it is its caller's, if that one still waits
                _log.info("a change was not made: %s", error)
                failures.append(error)
            finally:
                self._count -= 1
                done.set()

        self._count += 1  # here and not in the task, which begins when others have asked already
        self._tasks.start_soon(carry)
        with trio.move_on_after(self._within_s if within_s is None else within_s):
            await done.wait()
        for failure in failures:
            raise failure
        if not results:
            code, why = self._ailment("it takes long")
            raise Problem(code, f"{why}; the change waits, and is made as soon as it can be")
        return results[0]

    def _ailment(self, otherwise: str) -> tuple[Code, str]:
        """What keeps the store from changes, as code and sentence."""
        found = self._store.damage or self._store.trouble
        return (Code.UNAVAILABLE, otherwise) if found is None else (found.code, found.sentence)
