"""Offers of what lacks copies to the nodes that should hold it: what was stored just now, and everything now and then.

Whoever does not answer, or never heard it, is offered the same again: nothing rests on a message that must arrive.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from lucid.chain.codec import encode
from lucid.machines.effects import Effects, Send
from lucid.machines.quota import SECOND_MS, Quota
from lucid.machines.replicamessages import MAX_NAMED, ChunkOffer
from lucid.machines.replication.copies import Copies
from lucid.machines.replication.neighborhood import Neighborhood
from lucid.machines.replication.pacing import Pacing
from lucid.machines.replication.shelf import ChunkShelf

PAGE = 500
"""Chunks that are looked at in one step. Chosen: each has its nodes worked out, and the service does nothing else
meanwhile. At half, a look through a million chunks takes 4 000 steps; at double, what else it does waits for twice as
long."""
REST_MS = 20
"""After each page, and each further offer that it led to, before the next page. Chosen: 2 000 pages of a million chunks
take 40 s of rest, within the ten minutes between two looks. At half, the look takes up to twice the processor's share;
at double, it still fits."""
OFFERS_A_SECOND = 8
"""To one peer, before it rests until the next second (section 8, Messages): half of the 16 that it takes, whose seconds
are others."""
MAX_FRESH = 4_096
"""Chunks that were stored just now; others wait for the next look through all. Chosen: in the 200 ms for which they are
gathered (`Pacing.gather_ms`) a service stores far fewer. At half, still; at double, a store that is filled from a file
offers twice as many in one step."""
MAX_LACKING = 65_536
"""Chunks that are remembered as lacking copies; a look through everything finds the rest. Chosen: with some 190 bytes
each, 12 MiB of a container of 256. At half, copies for a new node come by looks from 32,768 chunks on; at double, twice
the memory for the same chunks."""


class Offering:
    """What one node offers."""

    def __init__(self, neighborhood: Neighborhood, copies: Copies, shelf: ChunkShelf, pacing: Pacing) -> None:
        self.lacking: dict[bytes, int] = {}
        """Chunks that lack copies, and since when (ms)."""
        self._neighborhood = neighborhood
        self._copies = copies
        self._shelf = shelf
        self._pacing = pacing
        self._fresh: dict[bytes, None] = {}
        self._gather_ms: int | None = None
        self._retry: list[bytes] = []
        """What lacks copies and is still to be offered again in this round, the next one last."""
        self._retry_ms: int | None = None
        self._look_ms = 0
        self._sent = Quota(OFFERS_A_SECOND, SECOND_MS)
        self._start = b""
        """Where the next page of a look through all begins; empty between two looks."""
        self._found: dict[bytes, None] = {}
        """What lacked copies since a look through all began."""
        self._again = False
        """Whether another look has to follow soon: something changed in the middle of one, or more lacks copies than is
        kept in mind."""

    def on_stored(self, now: int, chunk: bytes) -> None:
        """A chunk was stored here."""
        if len(self._fresh) < MAX_FRESH:
            self._fresh[chunk] = None
        else:
            self._look_soon(now)
        if self._gather_ms is None:
            self._gather_ms = now + self._pacing.gather_ms

    def look_again(self, now: int) -> None:
        """Look through everything soon. A look that is under way ends first, and another follows it: else who comes
        and goes, or names another store each second, would have the first chunks looked at and no others."""
        soon_ms = now + self._pacing.gather_ms
        if self._start:
            self._again = True
        elif not 0 < self._look_ms <= soon_ms:  # what is due soon is not put off again
            self._look_ms = soon_ms

    def lacks(self, chunk: bytes) -> list[bytes]:
        """The other nodes that should hold a chunk and did not say that they do."""
        return [key for key in self._neighborhood.others(chunk) if not self._copies.at(chunk, key)]

    def heard(self, peer: bytes, chunks: Iterable[bytes]) -> None:
        """A node says that it holds chunks, which is not in the store yet: who has all copies now lacks none."""
        for chunk in chunks:
            if chunk in self.lacking and not [key for key in self.lacks(chunk) if key != peer]:
                del self.lacking[chunk]

    def due_ms(self, now: int) -> int:
        """When there is something to do next. A clock that was put back makes nothing wait longer than usual."""
        self._look_ms = min(self._look_ms, now + self._pacing.look_ms)
        due_ms = [self._look_ms]
        if self._gather_ms is not None:
            self._gather_ms = min(self._gather_ms, now + self._pacing.gather_ms)
            due_ms.append(self._gather_ms)
        if self._retry_ms is not None:
            self._retry_ms = min(self._retry_ms, now + self._pacing.soon_ms)
            due_ms.append(self._retry_ms)
        return min(due_ms)

    def on_time(self, now: int) -> Effects:
        """Offer what is due."""
        effects: Effects = []
        if self._gather_ms is not None and self._gather_ms <= now:
            fresh, self._fresh, self._gather_ms = sorted(filter(self._shelf.offered, self._fresh)), {}, None
            effects += self._offer(now, self._lacking_of(now, fresh, self._copies.at))
        if self._look_ms <= now:
            effects += self._look(now)
        if self._retry_ms is not None and self._retry_ms <= now:
            effects += self._offer_again(now)
        # Every 20 s while copies are lacking (section 8): who should hold a chunk may be away, or its queue was full.
        if self.lacking and self._retry_ms is None:
            self._retry_ms = now + self._pacing.soon_ms
        return effects

    def _offer_again(self, now: int) -> Effects:
        """Offer a page of what lacked copies. Nothing else is looked at: where sessions come in all the time something
        always lacks copies, and a look through all costs as much as there are chunks."""
        if not self._retry:
            self._retry = sorted(self.lacking, reverse=True)
        page = [chunk for chunk in self._retry[: -PAGE - 1 : -1] if chunk in self.lacking]
        del self._retry[-PAGE:]
        found = self._lacking_of(now, filter(self._shelf.offered, page), self._copies.at)
        still = {chunk for chunk, _ in found}
        for chunk in page:
            if chunk not in still:
                del self.lacking[chunk]
        effects = self._offer(now, found)
        self._retry_ms = self._rested_ms(now, effects) if self._retry else None
        return effects

    def _look(self, now: int) -> Effects:
        """Look at a page of all chunks."""
        chunks, following = self._shelf.page(self._start, PAGE)
        said = self._copies.between(chunks[0], chunks[-1]) if chunks else {}
        found = self._lacking_of(now, chunks, lambda chunk, node: said.get(chunk + node, 0))
        effects = self._offer(now, found)
        self._found.update(dict.fromkeys(chunk for chunk, _ in found))
        self._start = following
        if following:
            self._look_ms = self._rested_ms(now, effects)
            return effects
        # What this look did not come upon lacks nothing any more, or is not here any more.
        self.lacking = {chunk: since for chunk, since in self.lacking.items() if chunk in self._found}
        self._found.clear()
        self._look_ms = now + (self._pacing.soon_ms if self._again else self._pacing.look_ms)
        self._again = False
        return effects

    def _look_soon(self, now: int) -> None:
        """There is more than is kept in mind: only a look through everything finds the rest."""
        self._again = True
        if not self._start:
            self._look_ms = min(self._look_ms, now + self._pacing.soon_ms)

    def _lacking_of(
        self, now: int, chunks: Iterable[bytes], said_ms: Callable[[bytes, bytes], int]
    ) -> list[tuple[bytes, list[bytes]]]:
        """Those of the chunks that nodes should hold which cannot be counted on now: they never said so (`said_ms`),
        not for long, or are out of reach. Each with these nodes."""
        recheck_ms, connected = self._pacing.recheck_ms, self._neighborhood.connected
        found = []
        for chunk in chunks:
            lacking = [
                key
                for key in self._neighborhood.others(chunk)
                # Said a day ago counts as not said: what a card lost in silence is found (section 8). Nor does what
                # lies ahead, after a clock was put back.
                if key not in connected or not now - recheck_ms < said_ms(chunk, key) <= now + recheck_ms
            ]
            if lacking:
                found.append((chunk, lacking))
        return found

    def _rested_ms(self, now: int, effects: Effects) -> int:
        """When the next page is looked at: after a rest, and once all who were offered something may be again."""
        full = any(self._sent.spent(now, each.peer) for each in effects if isinstance(each, Send))
        rested_ms = now + REST_MS * max(1, len(effects))
        return max(rested_ms, (now // SECOND_MS + 1) * SECOND_MS) if full else rested_ms

    def _offer(self, now: int, lacking: list[tuple[bytes, list[bytes]]]) -> Effects:
        by_node: dict[bytes, list[bytes]] = {}
        for chunk, nodes in lacking:
            if chunk in self.lacking or len(self.lacking) < MAX_LACKING:
                self.lacking.setdefault(chunk, now)
            else:
                self._look_soon(now)
            if self._start:
                self._found[chunk] = None  # a look under way may have passed it before it was here
            for node in nodes:
                # It lacks a copy all the same while that node is away; `/health` says so when that lasts.
                if node in self._neighborhood.connected:
                    by_node.setdefault(node, []).append(chunk)
        offers: Effects = []
        for node, chunks in by_node.items():
            for first in range(0, len(chunks), MAX_NAMED):
                self._sent.spend(now, node)
                offers.append(Send(node, encode(ChunkOffer(tuple(chunks[first : first + MAX_NAMED])))))
        return offers
