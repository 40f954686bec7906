"""Whether the other nodes still need a chunk, asked before `sweeper` removes it (protocol section 8).

A node needs the chunks that its sessions refer to, and says so to whoever holds them (ChunkNeed); it says too when it
let go of one. A chunk that nobody is known to need waits for a day, here as everywhere. Then every other node is asked
(ChunkQuestion), and it goes only where each of them answered that it needs it neither itself nor knows of one who does.
Nothing of this rests on a message that must arrive: what was not heard keeps a chunk, and is asked for again.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import NamedTuple, Protocol

import trio

from lucid.machines.replicamessages import MAX_NAMED, ChunkNeed, ChunkQuestion, ReplicaMessage
from lucid.services.chunks.chunks import Chunks
from lucid.services.process.driver import clock_ms
from lucid.storage.durable import DurableStore

ANSWER_S = 10.0
LOOK_S = 6 * 3_600.0
OLD_MS = 3 * 24 * 3_600_000
"""A need that was not renewed for so long is asked about: its node says it again each day."""
GATHER_S = 0.5
PAGE = 500

_log = logging.getLogger("lucid.collection")


class KnownMembers(Protocol):
    """Who knows the members of the chain."""

    key: bytes
    """This node's."""
    asked: bool
    """Whether the members are known: before that this node knows of itself alone."""

    @property
    def members(self) -> tuple[bytes, ...]:
        """The registered nodes, as far as they are known."""

    @property
    def connected(self) -> frozenset[bytes]:
        """Those of them in reach."""


class Inquiry(NamedTuple):
    """Chunks about which all others were asked, and who needs none of each so far."""

    number: int
    free: dict[bytes, set[bytes]]
    others: frozenset[bytes]
    done: trio.Event


class Collection:
    """What one node needs, and what it may let go."""

    def __init__(
        self,
        members: KnownMembers,
        chunks: Chunks,
        store: DurableStore,
        send: Callable[[bytes, ReplicaMessage], Awaitable[bool]],
    ) -> None:
        self._members = members
        self._chunks = chunks
        self._needs = chunks.needs
        self._store = store
        self._send = send
        self.name = b""
        """That of this node's store."""
        self._asked = 0
        self._asking: Inquiry | None = None
        self._one = trio.Lock()
        self._freed: set[bytes] = set()
        self._kick = trio.Event()
        chunks.sweeper.agreed = self.agreed
        chunks.on_freed = self._on_freed

    # -- what is said and heard ----------------------------------------------------------------------------------

    async def tell_needs(self, peer: bytes, chunks: Iterable[bytes]) -> None:
        """Say to a peer that holds chunks, or should, which of them sessions here refer to."""
        needs = await self._store.read_when_there(
            lambda: [each for each in chunks if self._chunks.rows.references(each)]
        )
        for first in range(0, len(needs), MAX_NAMED):
            await self._say(peer, needs=needs[first : first + MAX_NAMED])

    async def on_question(self, peer: bytes, question: ChunkQuestion) -> None:
        """Answer what this node needs, what it keeps for others, and what it let go. Raises `StoreError`."""

        def look() -> dict[str, list[bytes]]:
            found: dict[str, list[bytes]] = {"needs": [], "keeps": [], "frees": [], "none": []}
            for chunk in question.chunks:
                found[self._stands(chunk, peer)].append(chunk)
            return found

        await self._say(peer, question.request, **await self._store.read(look))

    def _stands(self, chunk: bytes, peer: bytes) -> str:
        if self._chunks.rows.references(chunk):
            return "needs"
        if self._needs.of(chunk).keys() - {peer}:
            return "keeps"
        # What a store remembers as gone, and nothing more, frees nothing: it may be older than what others heard.
        return "frees" if self._chunks.rows.let_go(chunk) else "none"

    async def on_need(self, peer: bytes, said: ChunkNeed) -> list[bytes]:
        """Take in what a peer needs and what it let go; returns the chunks that it needs and that are not here.
        Raises `StoreError`."""
        lacking: list[bytes] = []
        if said.needs:
            lacking = await self._chunks.needed(peer, said.store, said.needs)
        for chunk in said.frees:
            await self._chunks.freed(chunk, peer, said.store)
        asking = self._asking
        if asking is not None and said.request == asking.number and peer in asking.others:
            for chunk in (*said.frees, *said.none):
                if chunk in asking.free:
                    asking.free[chunk].add(peer)
            for chunk in (*said.needs, *said.keeps):
                asking.free.pop(chunk, None)
            if all(free >= asking.others for free in asking.free.values()):
                asking.done.set()
        return lacking

    async def _say(self, peer: bytes, request: int = 0, **named: Sequence[bytes]) -> None:
        if self.name and any(named.values()):
            found = {name: tuple(chunks) for name, chunks in named.items()}
            await self._send(peer, ChunkNeed(request, self.name, **found))

    # -- what may go ---------------------------------------------------------------------------------------------

    async def agreed(self, chunks: Sequence[bytes]) -> set[bytes]:
        """Which of these chunks, that nobody here needs, nobody else does. Every other node must say so; where there is
        no room, every one that is in reach."""
        others = frozenset(self._members.members) - {self._members.key}
        if self._chunks.low:
            others &= self._members.connected
        elif not self._members.asked:
            return set()
        if not others:
            return set(chunks)
        if not others <= self._members.connected or not self.name:
            return set()
        async with self._one:
            agreed: set[bytes] = set()
            for first in range(0, len(chunks), MAX_NAMED):
                free, answered = await self._ask(tuple(chunks[first : first + MAX_NAMED]), others)
                agreed |= free
                if not answered:
                    break  # the rest waits for the next sweep, not for one silence after the other
            return agreed

    async def _ask(self, chunks: tuple[bytes, ...], others: frozenset[bytes]) -> tuple[set[bytes], bool]:
        """Those that nobody needs, and whether all have answered."""
        self._asked += 1
        asking = Inquiry(self._asked, {chunk: set[bytes]() for chunk in chunks}, others, trio.Event())
        self._asking = asking
        try:
            for peer in sorted(others):
                # It may not have heard that they were let go here, and would keep them for this node.
                await self._say(peer, frees=chunks)
                await self._send(peer, ChunkQuestion(asking.number, chunks))
            with trio.move_on_after(ANSWER_S):
                await asking.done.wait()
        finally:
            self._asking = None
        return {chunk for chunk, free in asking.free.items() if free >= others}, asking.done.is_set()

    # -- what runs -----------------------------------------------------------------------------------------------

    def _on_freed(self, chunk: bytes) -> None:
        self._freed.add(chunk)
        self._kick.set()

    async def run(self) -> None:
        """Say what was let go, and ask about what was needed long ago, forever."""
        next_look = trio.current_time() + LOOK_S
        while True:
            with trio.move_on_at(next_look):
                await self._kick.wait()
            await trio.sleep(GATHER_S)
            self._kick = trio.Event()
            await self._tell_freed()
            if trio.current_time() >= next_look:
                await self._ask_again()
                next_look = trio.current_time() + LOOK_S

    async def _tell_freed(self) -> None:
        """At once, to all in reach; who does not hear it now is told when the chunks' time is over."""
        freed, self._freed = sorted(self._freed), set()
        needed = self._chunks.rows.references
        chunks = await self._store.read_when_there(lambda: [chunk for chunk in freed if not needed(chunk)])
        for first in range(0, len(chunks), MAX_NAMED):
            for peer in sorted(self._members.connected):
                await self._say(peer, frees=chunks[first : first + MAX_NAMED])

    async def _ask_again(self) -> None:
        after = b""
        while True:
            before_ms = clock_ms() - OLD_MS
            old, after = await self._store.read_when_there(self._needs.old, after, PAGE, before_ms)
            by_node: dict[bytes, list[bytes]] = {}
            for key in old:
                by_node.setdefault(key[32:], []).append(key[:32])
            for node in by_node.keys() & self._members.connected:
                for first in range(0, len(by_node[node]), MAX_NAMED):
                    self._asked += 1
                    asked = tuple(by_node[node][first : first + MAX_NAMED])
                    await self._send(node, ChunkQuestion(self._asked, asked))
            if not after:
                return
