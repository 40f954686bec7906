"""Fetches of chunks from other nodes: one source after the other, one part after the other, no faster than they may.

A fetch is over when its driver says that all bytes are the chunk's and durable; until then nothing counts as held.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from lucid.chain.chunks import MAX_CHUNK_BYTES, MIN_CHUNK_BYTES, SEGMENT_BYTES
from lucid.chain.codec import encode
from lucid.machines.effects import (
    BeginFetch,
    Effects,
    EndFetch,
    FetchEnded,
    FetchOutcome,
    PartCame,
    Send,
    TakePart,
)
from lucid.machines.replicamessages import PART_BYTES, ChunkRequest
from lucid.machines.replication.neighborhood import Neighborhood
from lucid.machines.replication.pacing import Pacing

TRIES = 3
"""Questions to one source that may stay without an answer. Chosen: one may be lost with a connection, and another with
the next. At half (rounded to one), each lost frame gives a source up; at double, a silent one keeps a chunk waiting for
a minute."""
LEAST_BYTES_PER_S = 16 << 10
"""Who gives less for `PATIENCE_MS` and longer is left for other sources, and asked again after them (section 8,
Copies)."""
PATIENCE_MS = 30_000
"""How long a source is watched before it counts as slow (section 8, Copies): half a minute."""
DOUBT_MS = 600_000
"""For so long, ten minutes (section 8, Copies), a source that was slow or silent, or whose bytes were false, is asked
last, and for one chunk at a time: a liar that drips, or lies fast, keeps nobody else waiting."""


class Fetch:
    """One chunk on its way. `keep` says whether it is stored here, `awaited` whether it began for somebody who waits.
    Times are ms."""

    def __init__(self, chunk: bytes, keep: bool, awaited: bool, sources: Iterable[bytes]) -> None:
        self.chunk = chunk
        self.keep = keep
        self.awaited = awaited
        self.sources = deque(sources)
        self.peer = b""
        """The source that is asked."""
        self.number = 0
        """Under which its driver has the bytes of this source; 0 before the first."""
        self.done = self.size = 0
        self.request = 0
        """The question that waits for an answer; 0 between two."""
        self.tries = 0
        self.next_ms: int | None = None
        """When the next part is asked for, or the answer to the last question is late. None while it is verified."""
        self.requests: list[int] = []
        """Who waits for it at this node."""
        self.begun_ms = 0
        """When this source was asked first."""
        self.left: set[bytes] = set()
        """Sources that were left since they were slow: asked again, they are waited for."""

    def is_slow(self, now: int) -> bool:
        """Whether its source has given too little in the time that it had."""
        taken_ms = now - self.begun_ms
        return taken_ms >= PATIENCE_MS and 1_000 * self.done < taken_ms * LEAST_BYTES_PER_S


class Fetching:
    """The fetches of one node."""

    def __init__(self, neighborhood: Neighborhood, pacing: Pacing) -> None:
        self.under_way: dict[tuple[bytes, bool], Fetch] = {}
        """By chunk, and whether it is kept."""
        self._neighborhood = neighborhood
        self._pacing = pacing
        self._request = 0
        self._number = 0
        self._doubted: dict[bytes, int] = {}
        """Until when (ms), by source."""

    def doubts(self, now: int, peer: bytes) -> bool:
        """Whether a source was slow, silent or false lately."""
        return 0 < self._doubted.get(peer, 0) - now <= DOUBT_MS

    def may_ask(self, now: int, peer: bytes, besides: Fetch | None = None) -> bool:
        """Whether a source may be asked for a chunk `besides` that of a fetch: of those that are doubted each is asked
        for one at a time."""
        others = (fetch for fetch in self.under_way.values() if fetch is not besides)
        return not self.doubts(now, peer) or all(fetch.peer != peer for fetch in others)

    def waits(self, now: int, chunk: bytes) -> bool:
        """Whether a chunk that is kept is under way, from a source from which it may come soon."""
        fetch = self.under_way.get((chunk, True))
        return fetch is not None and not self.doubts(now, fetch.peer)

    def begin(
        self, now: int, chunk: bytes, first: Iterable[bytes], keep: bool, awaited: bool = False
    ) -> tuple[Fetch | None, Effects]:
        """Fetch a chunk, or take part in the fetch that is under way; None where no other node is in reach."""
        fetch = self.under_way.get((chunk, keep))
        if fetch is not None:
            return fetch, []
        sources = self._neighborhood.sources(chunk, first)
        # Doubted ones last, and never left out: the only node that has a chunk may be a slow one (section 8, Copies).
        fetch = Fetch(chunk, keep, awaited, sorted(sources, key=lambda peer: self.doubts(now, peer)))
        if not fetch.sources:
            return None, []
        self.under_way[chunk, keep] = fetch
        effects, ended = self._next_source(now, fetch)
        return (fetch if ended is None else None), effects

    def on_part(self, now: int, part: PartCame) -> tuple[Effects, Fetch | None]:
        """An answer came; returns the fetch too if that was its last source, and it did not have the chunk."""
        fetch = next((each for each in self.under_way.values() if each.request == part.request), None)
        if fetch is None or not part.request or fetch.peer != part.peer:
            return [], None
        if (part.chunk, part.segment) != (fetch.chunk, fetch.done // SEGMENT_BYTES):
            return [], None  # it is late soon, and is asked for again
        wanted = min(PART_BYTES, part.size - fetch.done)
        # Bounds before bytes: a size that no chunk has would have this node wait for parts without end.
        possible = MIN_CHUNK_BYTES <= part.size <= MAX_CHUNK_BYTES and part.length == wanted > 0
        # Another size in the middle is another answer: one of both is false, and no part tells which.
        if not possible or (fetch.done and part.size != fetch.size):
            return self._next_source(now, fetch)
        effects: Effects = []
        if not fetch.done:
            self._number += 1
            fetch.number = self._number
            effects.append(BeginFetch(fetch.number, fetch.chunk, fetch.keep))
        effects.append(TakePart(fetch.number, part.data))
        fetch.done, fetch.size, fetch.request, fetch.tries = fetch.done + wanted, part.size, 0, 0
        if fetch.done == fetch.size:
            fetch.next_ms = None
            effects.append(EndFetch(fetch.number, True))
            return effects, None
        # At a bounded rate, so that copies leave an uplink room for votes (section 8, Copies).
        fetch.next_ms = now + 1_000 * wanted // self._pacing.bytes_per_s
        if fetch.is_slow(now):
            self._doubt(now, fetch.peer)
            if fetch.sources and fetch.peer not in fetch.left:
                fetch.left.add(fetch.peer)
                fetch.sources.append(fetch.peer)
                more, ended = self._next_source(now, fetch)
                return effects + more, ended
        return effects, None

    def on_ended(self, now: int, ended: FetchEnded) -> tuple[Effects, Fetch | None]:
        """The driver is done with the bytes of a source; returns the fetch too if it is over."""
        fetch = next((each for each in self.under_way.values() if each.number == ended.fetch), None)
        if fetch is None or not ended.fetch:
            return [], None
        fetch.number = 0
        # All of a chunk's bytes come before its id can be compared, so what a liar costs is one chunk in ten minutes.
        if ended.outcome is FetchOutcome.FALSE:
            self._doubt(now, fetch.peer)
            return self._next_source(now, fetch)
        if ended.outcome is FetchOutcome.KEPT and fetch.peer not in fetch.left:
            self._doubted.pop(fetch.peer, None)
        del self.under_way[fetch.chunk, fetch.keep]
        return [], fetch

    def on_undelivered(self, now: int, peer: bytes) -> None:
        """A question did not reach a peer: it is not waited for long."""
        for fetch in self.under_way.values():
            if fetch.peer == peer and fetch.request and fetch.next_ms is not None:
                fetch.next_ms = min(fetch.next_ms, now + self._pacing.again_ms)

    def due_ms(self, now: int) -> int | None:
        """When there is something to do next. After a clock was put back nothing waits longer than for an answer."""
        latest = now + self._pacing.answer_ms
        due = []
        for fetch in self.under_way.values():
            if fetch.next_ms is not None:
                fetch.next_ms = min(fetch.next_ms, latest)
                due.append(fetch.next_ms)
        return min(due, default=None)

    def on_time(self, now: int) -> tuple[Effects, list[Fetch]]:
        """Ask what is due; returns the fetches too that nobody is left to be asked for."""
        effects: Effects = []
        over: list[Fetch] = []
        for fetch in list(self.under_way.values()):
            if fetch.next_ms is None or fetch.next_ms > now:
                continue
            late = fetch.request != 0
            fetch.tries += late
            # One answer may be lost with its connection; a peer that is out of reach is not waited for.
            if late and (fetch.tries >= TRIES or fetch.peer not in self._neighborhood.connected):
                self._doubt(now, fetch.peer)
                more, ended = self._next_source(now, fetch)
                effects += more
                over += [ended] if ended is not None else []
            else:
                effects += self._ask(now, fetch)
        return effects, over

    def _doubt(self, now: int, peer: bytes) -> None:
        self._doubted[peer] = now + DOUBT_MS

    def _next_source(self, now: int, fetch: Fetch) -> tuple[Effects, Fetch | None]:
        """Begin anew with the next node in reach; returns the fetch too if there is none."""
        effects: Effects = [EndFetch(fetch.number, False)] if fetch.number else []
        fetch.number = fetch.done = fetch.size = fetch.tries = fetch.request = 0
        fetch.begun_ms = now
        while fetch.sources:
            peer = fetch.sources.popleft()
            # Somebody waits: then a doubted source is better than none, however many chunks it is asked for.
            if peer in self._neighborhood.connected and (fetch.awaited or self.may_ask(now, peer, fetch)):
                fetch.peer = peer
                return effects + self._ask(now, fetch), None
        del self.under_way[fetch.chunk, fetch.keep]
        return effects, fetch

    def _ask(self, now: int, fetch: Fetch) -> Effects:
        self._request += 1
        fetch.request = self._request
        fetch.next_ms = now + self._pacing.answer_ms
        return [Send(fetch.peer, encode(ChunkRequest(fetch.request, fetch.chunk, fetch.done // SEGMENT_BYTES)))]
