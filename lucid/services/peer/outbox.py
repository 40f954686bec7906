"""What waits for peers: one bound of memory for all of them together.

Where there is too much, whoever holds most loses first: the oldest message of the longest queue. So a slow peer loses
its own, before it costs the others anything.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import trio

OUT_BYTES = 32 << 20
"""What waits to be sent to all peers together; a message to many of them counts once."""
OUT_MESSAGES = 4_096
"""Messages that wait for one peer."""
BULK_MESSAGES = 16
"""Messages besides that may wait until there is nothing else for it."""


class Message:
    """A message on its way to one peer or several."""

    __slots__ = ("data", "holders")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.holders = 0


class Outboxes:
    """The outboxes of all peers."""

    def __init__(self, limit: int = OUT_BYTES) -> None:
        self.limit = limit
        self.held = 0
        self._open: list[Outbox] = []

    def open(self, cut: Callable[[], None]) -> Outbox:
        """An outbox for a connection; `cut` is to end it."""
        outbox = Outbox(self, cut)
        self._open.append(outbox)
        return outbox

    def close(self, outbox: Outbox) -> None:
        """Forget what waits: the connection is over. Nothing is taken any more."""
        if outbox in self._open:
            self._open.remove(outbox)
            outbox.clear()
            outbox.closed = True

    def hold(self, message: Message) -> None:
        """One more outbox holds a message."""
        message.holders += 1
        if message.holders == 1:
            self.held += len(message.data)

    def release(self, message: Message) -> None:
        """One outbox less does."""
        message.holders -= 1
        if message.holders == 0:
            self.held -= len(message.data)

    def shrink(self) -> None:
        """Come back below the limit."""
        while self.held > self.limit and self._open:
            largest = max(self._open, key=lambda outbox: outbox.size)
            if not largest.drop_oldest():
                # All that it holds is on its way to a peer that does not take it.
                self.close(largest)
                largest.cut()


class Outbox:
    """What waits for one peer while it is connected."""

    def __init__(self, boxes: Outboxes, cut: Callable[[], None]) -> None:
        self.cut = cut
        self.size = 0
        self.dropped = 0
        self.closed = False
        self._boxes = boxes
        self._queue: deque[Message] = deque()
        self._bulk: deque[Message] = deque()
        self._going: Message | None = None
        self._work = trio.Event()

    def put(self, message: Message) -> None:
        """Add a message; never waits. Beyond the limits what is oldest is dropped: machines say again what matters."""
        if self.closed:
            return
        self._queue.append(message)
        self._boxes.hold(message)
        self.size += len(message.data)
        if len(self._queue) > OUT_MESSAGES:
            self.drop_oldest()
        self._boxes.shrink()
        self._work.set()

    def put_bulk(self, message: Message) -> None:
        """Add a message that goes when nothing else waits; beyond a few the oldest of its kind is dropped."""
        if self.closed:
            return
        self._bulk.append(message)
        self._boxes.hold(message)
        self.size += len(message.data)
        if len(self._bulk) > BULK_MESSAGES:
            self._drop(self._bulk)
        self._boxes.shrink()
        self._work.set()

    async def next(self, within_s: float) -> bytes | None:
        """The oldest message, once there is one; None when none came in time. It counts until `sent`."""
        assert self._going is None, "one at a time"
        with trio.move_on_after(within_s):
            while not self._queue and not self._bulk:
                self._work = trio.Event()
                await self._work.wait()
            self._going = (self._queue or self._bulk).popleft()
            return self._going.data
        return None

    def sent(self) -> None:
        """What `next` gave is with the peer."""
        if self._going is not None:
            self._let_go(self._going)
            self._going = None

    def drop_oldest(self) -> bool:
        """Drop the message that has waited longest, of those that can wait if there is any; returns whether there was
        one."""
        queue = self._bulk or self._queue
        if queue:
            self._drop(queue)
            return True
        return False

    def _drop(self, queue: deque[Message]) -> None:
        self._let_go(queue.popleft())
        self.dropped += 1

    def clear(self) -> None:
        """Let everything go."""
        self.sent()
        for queue in (self._queue, self._bulk):
            while queue:
                self._let_go(queue.popleft())

    def _let_go(self, message: Message) -> None:
        self.size -= len(message.data)
        self._boxes.release(message)
