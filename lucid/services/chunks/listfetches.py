"""Lists of sessions' chunks on their way from the peers that offered them (protocol section 8).

Each peer has its own queue and its own fetch, so that one which is slow, silent or endless keeps nobody else waiting.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Sequence

import trio

from lucid.machines.replicamessages import MAX_IDS, ListPart, ListRequest
from lucid.services.web.problems import Problem
from lucid.storage.errors import StoreDamaged, StoreError

MAX_WANTED = 1_024
"""Sessions offered by one peer whose lists wait to be fetched; others are offered again."""
ANSWER_S = 10.0
PART_S = 2.0
"""After the first part's time, how long each part of a list may take in the mean."""
LARGE = 1 << 16
"""Lists of more chunks are fetched one at a time: one of a million takes 80 MB."""

_log = logging.getLogger("lucid.holdings")


class ListFetches:
    """What one node fetches. `wanted` says how many chunks a session has, 0 where its list is not to be fetched;
    `keep` takes in a list that came, and says whether it is the session's. Both raise `Problem` and `StoreError`."""

    def __init__(
        self,
        send: Callable[[bytes, ListRequest], Awaitable[bool]],
        wanted: Callable[[bytes], Awaitable[int]],
        keep: Callable[[bytes, Sequence[bytes]], Awaitable[bool]],
    ) -> None:
        self._send = send
        self._wanted = wanted
        self._keep = keep
        self._offered: dict[bytes, OrderedDict[bytes, None]] = {}
        self._busy: set[bytes] = set()
        self._kick = trio.Event()
        self._large = trio.Lock()
        self._request = 0
        self._answers: dict[int, tuple[bytes, trio.Event, list[ListPart]]] = {}

    def offer(self, peer: bytes, sessions: Iterable[bytes]) -> None:
        """A peer has the lists of these sessions, which are not here."""
        waiting = self._offered.setdefault(peer, OrderedDict())
        for session in sessions:
            if len(waiting) < MAX_WANTED:
                waiting[session] = None
        self._kick.set()

    def on_part(self, peer: bytes, part: ListPart) -> None:
        """Hand an answer to who waits for it."""
        waiting = self._answers.get(part.request)
        if waiting is not None and waiting[0] == peer:
            waiting[2].append(part)
            waiting[1].set()

    async def run(self) -> None:
        """Fetch what is offered, forever. Raises `StoreDamaged`."""
        async with trio.open_nursery() as nursery:
            while True:
                await self._kick.wait()
                self._kick = trio.Event()
                for peer in sorted(self._offered.keys() - self._busy):
                    self._busy.add(peer)
                    nursery.start_soon(self._fetch_all, peer)

    async def _fetch_all(self, peer: bytes) -> None:
        """Fetch what a peer offered, one list after the other."""
        try:
            waiting = self._offered[peer]
            while waiting:
                session, _ = waiting.popitem(last=False)
                try:
                    await self._fetch(session, peer)
                except StoreDamaged:
                    raise
                except (Problem, StoreError) as error:
                    _log.info("the list of session %s is fetched later: %s", session.hex()[:32], error)
            del self._offered[peer]
        finally:
            self._busy.discard(peer)

    async def _fetch(self, session: bytes, peer: bytes) -> None:
        chunks = await self._wanted(session)
        if not chunks:
            return
        if chunks <= LARGE:
            ids = await self._list(session, peer, chunks)
            kept = await self._keep(session, ids)
        else:
            async with self._large:
                ids = await self._list(session, peer, chunks)
                kept = await self._keep(session, ids)
        if not kept:
            _log.info("the list of session %s from node %s is not kept", session.hex()[:32], peer.hex()[:16])

    async def _list(self, session: bytes, peer: bytes, chunks: int) -> list[bytes]:
        """A session's chunks, as far as the peer has them and says them in time: whole parts alone count."""
        ids: list[bytes] = []
        with trio.move_on_after(ANSWER_S + PART_S * (chunks // MAX_IDS)):
            while len(ids) < chunks:
                part = await self._part(session, peer, len(ids))
                ids += part
                if len(part) != MAX_IDS:
                    break
        return ids

    async def _part(self, session: bytes, peer: bytes, first: int) -> tuple[bytes, ...]:
        self._request += 1
        number, answered, answers = self._request, trio.Event(), list[ListPart]()
        self._answers[number] = peer, answered, answers
        try:
            if await self._send(peer, ListRequest(number, session, first)):
                with trio.move_on_after(ANSWER_S):
                    await answered.wait()
        finally:
            del self._answers[number]
        if answers and (answers[0].session, answers[0].first) == (session, first):
            return answers[0].ids
        return ()
