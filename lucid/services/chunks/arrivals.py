"""The bytes of chunks that come from other nodes, part by part, on their way to the disk or to a reader."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing

import trio

from lucid.chain.errors import Code, LucidError, Refusal
from lucid.machines.effects import BeginFetch, EndFetch, FetchEnded, FetchOutcome, TakePart
from lucid.services.chunks.chunks import Chunks
from lucid.services.process.space import NoRoom
from lucid.storage.errors import StoreDamaged, StoreError

WAITING = 8
"""Parts of a chunk that wait for the disk; one that falls further behind takes no more of it."""

_log = logging.getLogger("lucid.replication")


class Abandoned(LucidError):
    """The machine gave a fetch up."""

    def __init__(self) -> None:
        super().__init__(Code.UNAVAILABLE)


class Arrival:
    """The parts of one chunk as they come."""

    def __init__(self) -> None:
        self._sender, self._parts = trio.open_memory_channel[bytes](WAITING)
        self._whole = self._lost = False

    def take(self, data: bytes) -> None:
        """The next part came."""
        try:
            self._sender.send_nowait(data)
        except (trio.WouldBlock, trio.ClosedResourceError, trio.BrokenResourceError):
            self._lost = True  # the disk does not keep up, or failed: whoever sent this is not to blame
            self._sender.close()

    def end(self, whole: bool) -> None:
        """No more comes: that was all of it, or it is given up."""
        self._whole = whole and not self._lost
        self._sender.close()

    async def parts(self) -> AsyncGenerator[bytes, None]:
        """The parts. Raises `Abandoned`."""
        async for part in self._parts:
            yield part
        if not self._whole:
            raise Abandoned


class Arrivals:
    """What a node fetches now. `ended` tells the machine; `read` is given what is not stored here."""

    def __init__(
        self, chunks: Chunks, ended: Callable[[FetchEnded], Awaitable[None]], read: Callable[[bytes, bytes], None]
    ) -> None:
        self._chunks = chunks
        self._ended = ended
        self._read = read
        self._under_way: dict[int, Arrival] = {}

    def begin(self, effect: BeginFetch, nursery: trio.Nursery) -> None:
        """Make room for a chunk."""
        arrival = self._under_way[effect.fetch] = Arrival()
        nursery.start_soon(self._run, effect, arrival)

    def take(self, effect: TakePart) -> None:
        """Hand on the next part of one."""
        if effect.fetch in self._under_way:
            self._under_way[effect.fetch].take(effect.data)

    def end(self, effect: EndFetch) -> None:
        """End one."""
        if effect.fetch in self._under_way:
            self._under_way[effect.fetch].end(effect.whole)

    async def _run(self, effect: BeginFetch, arrival: Arrival) -> None:
        outcome = FetchOutcome.KEPT
        try:
            async with aclosing(arrival.parts()) as parts:
                if effect.keep:
                    await self._chunks.put(parts, None, effect.chunk)
                else:
                    self._read(effect.chunk, await self._chunks.reader.verified(parts, effect.chunk))
        except StoreDamaged:
            raise
        except Refusal:
            outcome = FetchOutcome.FALSE
        except (Abandoned, NoRoom, StoreError, OSError) as error:
            outcome = FetchOutcome.FAILED
            if not isinstance(error, Abandoned):
                _log.info("chunk %s cannot be stored: %s", effect.chunk.hex(), error)
        finally:
            del self._under_way[effect.fetch]
        # Of one that it gave up the machine knows nothing any more.
        await self._ended(FetchEnded(effect.fetch, outcome))
