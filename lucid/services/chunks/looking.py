"""Going through the sessions whose lists are here, page by page, again and again, without keeping others waiting."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence

import trio

from lucid.services.chunks.chaincopies import RulesInForce
from lucid.services.chunks.storedlists import StoredLists
from lucid.services.web.problems import Problem
from lucid.storage.durable import DurableStore
from lucid.storage.errors import StoreDamaged, StoreError

LOOK_S = 10.0
"""How long after its end all sessions are looked through again."""
REST = 4
"""After each page it rests for so many times as long as that took."""
PAGE = 64

_log = logging.getLogger("lucid.looking")


async def look_through(
    look: Callable[[Sequence[bytes]], Awaitable[object]],
    *,
    rules: RulesInForce,
    since: int,
    store: DurableStore,
    lists: StoredLists,
    pause_s: float,
    retry_s: float | None = None,
) -> None:
    """Show `look` all sessions, forever, from the rules `since` on, with a pause after each round. It may raise
    `Problem` and `StoreError`, and is shown the same page again after `retry_s` (the pause, unless it is given); a
    store that is damaged ends it."""
    retry_s = pause_s if retry_s is None else retry_s
    after = b""
    while True:
        if rules.rules < since:
            await trio.sleep(retry_s)
            continue
        began_s = trio.current_time()
        try:
            names = await store.read_when_there(lists.sessions, after, PAGE)
            await look(names)
        except StoreDamaged:
            return  # the store has logged it and says so
        except (Problem, StoreError) as error:
            _log.info("what is asked of the sessions here is looked at later: %s", error)
            await trio.sleep(retry_s)
            continue
        after = names[-1] if len(names) == PAGE else b""
        await trio.sleep(REST * (trio.current_time() - began_s) + (0 if after else pause_s))
