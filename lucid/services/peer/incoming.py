"""What comes from peers and waits here: one bound of memory for all of them together.

Where there is too much, whoever holds most loses first: the longest message that is half here. So a hostile peer loses
its own, before it costs the others anything.
"""

from __future__ import annotations

from collections.abc import Callable

import trio

IN_BYTES = 32 << 20
"""Messages of all peers that are half here, and as many bytes again that are whole and not handled yet."""


class Incoming:
    """What peers are sending: messages that are half here, and whole ones that the machine has not handled."""

    def __init__(self, limit: int = IN_BYTES) -> None:
        self.limit = limit
        self.partial = 0
        self.whole = 0
        self._parts: list[Assembly] = []
        self._changed = trio.Event()

    def open(self, cut: Callable[[], None]) -> Assembly:
        """The message that a connection is sending; `cut` is to end the connection."""
        assembly = Assembly(self, cut)
        self._parts.append(assembly)
        return assembly

    def close(self, assembly: Assembly) -> None:
        """The connection is over. Nothing is kept any more."""
        if assembly in self._parts:
            self._parts.remove(assembly)
            assembly.whole()
            assembly.closed = True

    def grow(self, size: int) -> None:
        """So many bytes more are half here; may cut the connection that has most."""
        self.partial += size
        while self.partial > self.limit and self._parts:
            largest = max(self._parts, key=lambda assembly: assembly.size)
            self.close(largest)
            largest.cut()

    async def enter(self, size: int) -> None:
        """Wait until there is room for a whole message; what waits longer holds its sender back."""
        while self.whole and self.whole + size > self.limit:
            await self._changed.wait()
        self.whole += size

    def leave(self, size: int) -> None:
        """A message was handled."""
        self.whole -= size
        self._changed.set()
        self._changed = trio.Event()


class Assembly:
    """The parts of one message."""

    def __init__(self, incoming: Incoming, cut: Callable[[], None]) -> None:
        self.cut = cut
        self.size = 0
        self.closed = False
        self._incoming = incoming
        self._parts: list[bytes] = []

    def add(self, part: bytes) -> None:
        """Keep a part."""
        if self.closed:
            return
        self._parts.append(part)
        self.size += len(part)
        self._incoming.grow(len(part))

    def whole(self) -> bytes:
        """The message; the next one begins."""
        data = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        self._parts = []
        self._incoming.partial -= self.size
        self.size = 0
        return data
