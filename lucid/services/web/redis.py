"""A Redis that a node's services may share, for what can be lost: a few connections under trio, and what is wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import unquote, urlsplit

import hiredis
import trio

# hiredis does the protocol and nothing else. The usual client, redis-py, takes 12 MB of an image's 135 with what is
# compiled of it, and knows no trio.

CALL_S = 0.5
AGAIN_S = 1.0
CONNECTIONS = 8
PORT = 6379
READ_BYTES = 1 << 16

Word = bytes | str | int


class RedisAway(Exception):
    """Redis cannot be used now; `Redis.trouble` says why."""


class Redis:
    """A client of one Redis. `trouble` says why it cannot be used, as /health tells it; tried again every second."""

    def __init__(self, url: str) -> None:
        """`url` is `redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE]`. Raises ValueError for another."""
        self._host, self._port, self._first = parse_url(url)
        self._idle: list[_Connection] = []
        self._places = trio.CapacityLimiter(CONNECTIONS)
        self.trouble: str | None = "redis: not reached yet"

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Look every second whether it is there. Says `started` after the first look."""
        try:
            while True:
                await self._look()
                task_status.started()
                task_status = trio.TASK_STATUS_IGNORED
                await trio.sleep(AGAIN_S)
        finally:
            self._hang_up()

    async def _look(self) -> None:
        try:
            await self._call("PING")
        except RedisAway:
            return
        self.trouble = None

    async def call(self, *words: Word) -> Any:
        """What Redis replies to a command. Raises `RedisAway`, at once while it is known to be away."""
        if self.trouble is not None:
            raise RedisAway
        return await self._call(*words)

    async def _call(self, *words: Word) -> Any:
        try:
            with trio.fail_after(CALL_S):
                async with self._connection() as connection:
                    reply = await connection.call(words)
        except (OSError, trio.TooSlowError, trio.BrokenResourceError, hiredis.ProtocolError) as error:
            reason = (
                "it does not answer" if isinstance(error, trio.TooSlowError) else str(error) or type(error).__name__
            )
            self._give_up(reason)
            raise RedisAway from None
        if isinstance(reply, hiredis.ReplyError):
            if str(reply).startswith("NOSCRIPT"):
                return reply
            self._give_up(str(reply))
            raise RedisAway
        return reply

    def _give_up(self, reason: str) -> None:
        self.trouble = f"redis: {reason}"
        self._hang_up()

    def _hang_up(self) -> None:
        for connection in self._idle:
            connection.close()
        self._idle.clear()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[_Connection]:
        """A connection for one command; one whose command was cut short is of no more use."""
        async with self._places:
            if self._idle:
                connection = self._idle.pop()
            else:
                connection = _Connection(await trio.open_tcp_stream(self._host, self._port))
            try:
                for words in () if connection.begun else self._first:
                    reply = await connection.call(words)
                    if isinstance(reply, hiredis.ReplyError):
                        raise OSError(str(reply))
                connection.begun = True
                yield connection
            except BaseException:
                connection.close()
                raise
            self._idle.append(connection)


class _Connection:
    """One connection, on which commands are answered in their order."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self.begun = False
        """Whether the commands that it begins with are through."""
        self._stream = stream
        self._reader = hiredis.Reader()

    async def call(self, words: tuple[Word, ...]) -> Any:
        await self._stream.send_all(hiredis.pack_command(words))  # type: ignore[arg-type]
        while (reply := self._reader.gets()) is False:
            data = await self._stream.receive_some(READ_BYTES)
            if not data:
                raise ConnectionResetError("it closed the connection")
            self._reader.feed(data)
        return reply

    def close(self) -> None:
        self._stream.socket.close()


def parse_url(url: str) -> tuple[str, int, list[tuple[Word, ...]]]:
    """Host, port and the commands that a connection begins with. Raises ValueError naming what is wrong."""
    parts = urlsplit(url)
    database = parts.path.strip("/") or "0"
    if parts.scheme != "redis" or not parts.hostname or not database.isdigit() or parts.query:
        raise ValueError("must be redis://[:PASSWORD@]HOST[:PORT][/DATABASE]")
    first: list[tuple[Word, ...]] = []
    if parts.password:
        user = (unquote(parts.username),) if parts.username else ()
        first.append(("AUTH", *user, unquote(parts.password)))
    if database != "0":
        first.append(("SELECT", database))
    return parts.hostname, parts.port or PORT, first
