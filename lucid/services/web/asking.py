"""Clients that wait for a machine's answer to what they handed in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import trio

from lucid.api.errors import BUSY
from lucid.chain.errors import Code
from lucid.machines.effects import Respond
from lucid.services.web.problems import Problem

ANSWER_S = 10.0
"""How long a client waits until what it handed in is durable."""
MAX_ASKING = 2_000
"""Clients that may wait at once."""


class Asking:
    """Numbers requests and hands each answer to the client that waits for it."""

    def __init__(self) -> None:
        self._waiting: dict[int, tuple[trio.Event, list[Respond]]] = {}
        self._last = 0

    def answer(self, effect: Respond) -> None:
        """Hand a machine's answer on; nobody may wait for it any more."""
        waiting = self._waiting.get(effect.request)
        if waiting is not None:
            waiting[1].append(effect)
            waiting[0].set()

    def give_up(self) -> None:
        """Let all who wait go without an answer: the machine is gone."""
        for answered, _ in self._waiting.values():
            answered.set()

    async def ask(self, deliver: Callable[[int], Awaitable[None]]) -> Respond:
        """Deliver a request under a number of its own and wait for its answer. Raises `Problem` (503) without one."""
        if len(self._waiting) >= MAX_ASKING:
            raise Problem(Code.TOO_MANY, "too many wait for an answer", status=BUSY)
        self._last += 1
        number, answers, answered = self._last, list[Respond](), trio.Event()
        self._waiting[number] = answered, answers
        try:
            with trio.move_on_after(ANSWER_S):
                await deliver(number)
                await answered.wait()
        finally:
            del self._waiting[number]
        if not answers:
            raise Problem(Code.UNAVAILABLE, "no answer in time; it may have been accepted all the same")
        return answers[0]
