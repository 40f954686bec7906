"""Lists fetched from the peers that offered them: whole parts alone count, and no peer keeps another's waiting.

Time is virtual: nothing here waits for real.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from lucid.chain.errors import Code
from lucid.machines.replicamessages import MAX_IDS, ListPart, ListRequest
from lucid.services.chunks import listfetches as fetching
from lucid.services.chunks.listfetches import ANSWER_S, MAX_WANTED, PART_S, ListFetches
from lucid.services.web.problems import Problem
from lucid.storage.errors import StoreDamaged

ONE, TWO = b"1" * 32, b"2" * 32
Answer = Callable[[bytes, ListRequest], ListPart | None]


def session(number: int) -> bytes:
    """A session's name."""
    return number.to_bytes(48, "big")


def ids(count: int) -> tuple[bytes, ...]:
    """A list of so many chunks."""
    return tuple(number.to_bytes(32, "big") for number in range(count))


class Node:
    """A node that wants lists of so many chunks; `answer` is what its peers say, or None for silence."""

    def __init__(self, chunks: int) -> None:
        self.chunks = dict.fromkeys([session(number) for number in range(2_000)], chunks)
        self.reached = True
        self.asked: list[tuple[bytes, ListRequest]] = []
        self.kept: list[tuple[bytes, int]] = []
        self.failures: dict[bytes, Exception] = {}
        self.answer: Answer = self.honest
        self.fetches = ListFetches(self._send, self._wanted, self._keep)

    def honest(self, peer: bytes, asked: ListRequest) -> ListPart | None:
        """The part that was asked for."""
        found = ids(self.chunks[asked.session])[asked.first : asked.first + MAX_IDS]
        return ListPart(asked.request, asked.session, asked.first, found)

    async def _send(self, peer: bytes, request: ListRequest) -> bool:
        self.asked.append((peer, request))
        if self.reached and (part := self.answer(peer, request)) is not None:
            self.fetches.on_part(peer, part)
        await trio.lowlevel.checkpoint()
        return self.reached

    async def _wanted(self, name: bytes) -> int:
        await trio.lowlevel.checkpoint()
        return self.chunks[name]

    async def _keep(self, name: bytes, found: Sequence[bytes]) -> bool:
        await trio.lowlevel.checkpoint()
        if name in self.failures:
            raise self.failures[name]
        self.kept.append((name, len(found)))
        return tuple(found) == ids(self.chunks[name])


@asynccontextmanager
async def fetched(node: Node) -> AsyncIterator[None]:
    """All that was offered before has been fetched, as far as it comes."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(node.fetches.run)
        await trio.sleep(10_000)
        yield
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("chunks", [1, MAX_IDS - 1, MAX_IDS, MAX_IDS + 1, 2 * MAX_IDS, 2 * MAX_IDS + 5])
async def test_a_list_comes_whole_part_by_part(autojump_clock: MockClock, chunks: int) -> None:
    node = Node(chunks)
    node.fetches.offer(ONE, [session(1)])
    async with fetched(node):
        assert node.kept == [(session(1), chunks)]
        assert [asked.first for _, asked in node.asked] == list(range(0, chunks, MAX_IDS))
        assert {peer for peer, _ in node.asked} == {ONE}


@pytest.mark.parametrize(
    ("answer", "came"),
    [
        (lambda asked: None, 0),
        (lambda asked: ListPart(asked.request, asked.session, asked.first, ()), 0),
        (lambda asked: ListPart(asked.request, asked.session, asked.first, ids(MAX_IDS - 1)), MAX_IDS - 1),
        (lambda asked: ListPart(asked.request, session(9), asked.first, ids(MAX_IDS)), 0),
        (lambda asked: ListPart(asked.request, asked.session, asked.first + 1, ids(MAX_IDS)), 0),
        (lambda asked: ListPart(asked.request + 1, asked.session, asked.first, ids(MAX_IDS)), 0),
    ],
    ids=["silence", "nothing", "less", "another session", "another part", "another question"],
)
async def test_what_is_not_a_whole_part_ends_a_list(
    autojump_clock: MockClock, answer: Callable[[ListRequest], ListPart | None], came: int
) -> None:
    node = Node(3 * MAX_IDS)
    node.answer = lambda peer, asked: answer(asked)
    node.fetches.offer(ONE, [session(1), session(2)])
    async with fetched(node):
        assert node.kept == [(session(1), came), (session(2), came)], "and the next one has its turn"
        assert len(node.asked) == 2


async def test_what_another_peer_says_is_no_answer(autojump_clock: MockClock) -> None:
    node = Node(5)

    def meddled(peer: bytes, asked: ListRequest) -> ListPart | None:
        node.fetches.on_part(TWO, ListPart(asked.request, asked.session, asked.first, ids(5)[::-1]))
        return node.honest(peer, asked)

    node.answer = meddled
    node.fetches.offer(ONE, [session(1)])
    async with fetched(node):
        assert node.kept == [(session(1), 5)]
    node.fetches.on_part(ONE, ListPart(1, session(1), 0, ids(5)))  # late: nobody waits for it


async def test_who_is_out_of_reach_is_not_waited_for(autojump_clock: MockClock) -> None:
    node, began = Node(5), trio.current_time()
    node.reached = False
    node.fetches.offer(ONE, [session(number) for number in range(100)])
    async with trio.open_nursery() as nursery:
        nursery.start_soon(node.fetches.run)
        await wait_all_tasks_blocked()
        assert len(node.kept) == 100 and trio.current_time() == began
        nursery.cancel_scope.cancel()


async def test_a_list_that_is_not_wanted_is_not_asked_for(autojump_clock: MockClock) -> None:
    node = Node(5)
    node.chunks[session(1)] = 0
    node.fetches.offer(ONE, [session(1), session(2)])
    async with fetched(node):
        assert [asked.session for _, asked in node.asked] == [session(2)]


async def test_a_list_that_cannot_be_kept_now_keeps_no_other_back(autojump_clock: MockClock) -> None:
    node = Node(5)
    node.failures[session(1)] = Problem(Code.UNAVAILABLE)
    node.fetches.offer(ONE, [session(1), session(2)])
    async with fetched(node):
        assert node.kept == [(session(2), 5)]
        node.failures.clear()
        node.fetches.offer(ONE, [session(1)])
        await trio.sleep(1)
        assert node.kept[1:] == [(session(1), 5)], "it is offered again"


async def test_damage_ends_it(autojump_clock: MockClock) -> None:
    node = Node(5)
    node.failures[session(1)] = StoreDamaged("a row cannot be read")
    node.fetches.offer(ONE, [session(1)])
    with pytest.RaisesGroup(StoreDamaged):
        await node.fetches.run()


async def test_a_silent_peer_keeps_another_s_lists_not_waiting(autojump_clock: MockClock) -> None:
    node, began = Node(5), trio.current_time()
    node.answer = lambda peer, asked: None if peer == ONE else node.honest(peer, asked)
    node.fetches.offer(ONE, [session(number) for number in range(40)])
    node.fetches.offer(TWO, [session(number) for number in range(100, 140)])
    async with trio.open_nursery() as nursery:
        nursery.start_soon(node.fetches.run)
        await wait_all_tasks_blocked()
        assert [name for name, _ in node.kept] == [session(number) for number in range(100, 140)]
        assert trio.current_time() == began
        nursery.cancel_scope.cancel()


async def test_a_list_that_drips_ends_in_time(autojump_clock: MockClock) -> None:
    """Each part comes just before it would be late."""
    chunks = 100 * MAX_IDS
    node = Node(chunks)

    def late(peer: bytes, asked: ListRequest) -> None:
        async def say() -> None:
            await trio.sleep(ANSWER_S - 0.1)
            part = node.honest(peer, asked)
            assert part is not None
            node.fetches.on_part(peer, part)

        nursery.start_soon(say)

    node.answer = late
    node.fetches.offer(ONE, [session(1)])
    async with trio.open_nursery() as nursery:
        nursery.start_soon(node.fetches.run)
        began = trio.current_time()
        while not node.kept:
            await trio.sleep(1)
        assert trio.current_time() - began <= ANSWER_S + PART_S * 100 + 1
        assert 0 < node.kept[0][1] < chunks and node.kept[0][1] % MAX_IDS == 0
        nursery.cancel_scope.cancel()


async def test_long_lists_are_fetched_one_at_a_time(autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "LARGE", 5)
    node = Node(6)
    node.chunks[session(3)] = 5
    node.answer = lambda peer, asked: None
    for peer, number in ((ONE, 1), (TWO, 2), (b"3" * 32, 3)):
        node.fetches.offer(peer, [session(number)])
    async with trio.open_nursery() as nursery:
        nursery.start_soon(node.fetches.run)
        await wait_all_tasks_blocked()
        first = {asked.session for _, asked in node.asked}
        assert len(first) == len(node.asked) == 2 and session(3) in first, "the short one waits for nobody"
        await trio.sleep(ANSWER_S + 1)
        assert {asked.session for _, asked in node.asked} == {session(1), session(2), session(3)}
        nursery.cancel_scope.cancel()


async def test_a_peer_s_offers_are_bounded_and_each_counts_once(autojump_clock: MockClock) -> None:
    node = Node(1)
    for _ in range(3):
        node.fetches.offer(ONE, [session(number) for number in range(MAX_WANTED + 9)])
    node.fetches.offer(TWO, [session(MAX_WANTED + 1)])
    async with fetched(node):
        assert [asked.session for peer, asked in node.asked if peer == ONE] == list(map(session, range(MAX_WANTED)))
        assert [asked.session for peer, asked in node.asked if peer == TWO] == [session(MAX_WANTED + 1)], "has its own"
