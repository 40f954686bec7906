"""Getting the chunks of a session from several nodes at once: what one lacks, or lies about, another one has."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence

from lucid.chain.errors import Code
from lucid.chain.manifests import ChunkEntry
from lucid.client import calls
from lucid.client.calls import ClientError
from lucid.client.http import Client

LOOK_S = 0.2
"""How often whoever waits may be interrupted."""
MAX_WRONG = 3
"""Chunks that a node answers wrongly before it is asked for no more."""


class SessionDownload:
    """Chunks on their way: one thread a node, each asks for the next chunk that no other was asked for. In the end a
    node that has nothing left asks for what others could not give, or are still sending."""

    def __init__(self, chunks: Iterable[ChunkEntry], take: Callable[[ChunkEntry, bytes], None]) -> None:
        """`take` is given each chunk and its verified bytes, in any order, one at a time."""
        self._fresh = deque(chunks)
        self._open: dict[int, ChunkEntry] = {}
        self._asked: dict[int, set[int]] = {}
        """The nodes that were asked for each open chunk."""
        self._coming: dict[int, int] = {}
        """How many nodes are sending each open chunk."""
        self._take = take
        self._working = 0
        self._changed = threading.Condition()
        self._refusal: ClientError | None = None
        self._failure: Exception | None = None
        self._stopped = False

    def run(self, clients: Sequence[Client]) -> None:
        """Get all. Raises what a node said of a chunk that none gives, and what `take` raises."""
        self._working = len(clients)
        for number, client in enumerate(clients):
            threading.Thread(target=self._work, args=(number, client), daemon=True, name=f"fetch {number}").start()
        try:
            with self._changed:
                while self._working and not self._stopped and (self._fresh or self._open):
                    self._changed.wait(LOOK_S)
                if self._failure is not None:
                    raise self._failure
                if self._fresh or self._open:
                    raise self._refusal or ClientError(Code.UNAVAILABLE, "no node answers")
        finally:
            self._stopped = True

    def _work(self, number: int, client: Client) -> None:
        wrong = 0
        try:
            while wrong < MAX_WRONG and (chunk := self._next(number)) is not None:
                try:
                    data = client.send(calls.chunk(bytes.fromhex(chunk.id), chunk.size))
                except ClientError as error:
                    self._refused(chunk, error)
                    if error.status != 404:
                        wrong += MAX_WRONG if error.code is Code.UNAVAILABLE and not error.status else 1
                else:
                    self._came(chunk, data)
        except Exception as error:
            with self._changed:
                self._failure, self._stopped = self._failure or error, True
        finally:
            with self._changed:
                self._working -= 1
                self._changed.notify_all()

    def _next(self, number: int) -> ChunkEntry | None:
        """The chunk that a node is to be asked for; None if there is none that it was not asked for yet."""
        with self._changed:
            if self._stopped:
                return None
            if self._fresh:
                chunk = self._fresh.popleft()
                self._open[chunk.index], self._asked[chunk.index] = chunk, set()
            else:
                left = [place for place in self._open if number not in self._asked[place]]
                if not left:
                    return None
                chunk = self._open[min(left, key=lambda place: self._coming[place])]
            self._asked[chunk.index].add(number)
            self._coming[chunk.index] = self._coming.get(chunk.index, 0) + 1
            return chunk

    def _refused(self, chunk: ChunkEntry, error: ClientError) -> None:
        with self._changed:
            if chunk.index in self._open:
                self._coming[chunk.index] -= 1
                # What a node said of the chunk tells more than that another one is away.
                if self._refusal is None or error.status or not self._refusal.status:
                    self._refusal = error

    def _came(self, chunk: ChunkEntry, data: bytes) -> None:
        with self._changed:
            if not self._stopped and self._open.pop(chunk.index, None) is not None:
                del self._asked[chunk.index], self._coming[chunk.index]
                self._take(chunk, data)
                self._changed.notify_all()
