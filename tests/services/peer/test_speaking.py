"""What nodes say of themselves first: versions of messages and rules, between old and new."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest
import trio

from lucid.chain.codec import encode
from lucid.chain.versions import FIRST_RULES, RULES_KNOWN
from lucid.machines.messages import MAX_TAG
from lucid.services.peer import speaking
from lucid.services.peer.dialing import ConnectionLost
from lucid.services.peer.peers import PeerDetail
from lucid.services.peer.sealed import FrameKind, SealedFrames
from lucid.services.peer.speaking import Speaks, common, introduction, is_introduction, read_introduction
from tests.services.peer.acquainted import KEYS
from tests.services.peer.sites import NOWHERE, Site, known_to, listening, pair
from tests.waiting import until


def detail(site: Site) -> PeerDetail:
    """What a site holds of its only peer."""
    [found] = site.peers.details()
    return found


@asynccontextmanager
async def by_hand() -> AsyncIterator[tuple[Site, SealedFrames]]:
    """A site, and a connection of node 0 to it, that says only what the test has it say."""
    site = Site(1, {KEYS[0]: NOWHERE})
    async with listening(site) as (port, _), known_to(port) as sealed:
        await until(lambda: detail(site).state.connected)
        yield site, sealed


# -- what is common ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ours", "theirs", "version"),
    [((1, 1), (1, 1), 1), ((1, 2), (1, 1), 1), ((1, 1), (1, 9), 1), ((2, 5), (3, 9), 5), ((2, 5), (5, 9), 5)],
)
def test_the_newest_that_both_speak_is_spoken(ours: tuple[int, int], theirs: tuple[int, int], version: int) -> None:
    assert common(Speaks(*ours, 1), Speaks(*theirs, 1)) == version
    assert common(Speaks(*theirs, 1), Speaks(*ours, 1)) == version


@pytest.mark.parametrize(
    ("ours", "theirs", "says"),
    [
        ((1, 1), (2, 3), "the peer speaks messages of versions 2 to 3, this node of version 1: upgrade this node"),
        ((4, 5), (2, 3), "the peer speaks messages of versions 2 to 3, this node of versions 4 to 5: upgrade the peer"),
        ((2, 2), (1, 1), "the peer speaks messages of version 1, this node of version 2: upgrade the peer"),
    ],
)
def test_where_nothing_is_common_one_sentence_names_both(
    ours: tuple[int, int], theirs: tuple[int, int], says: str
) -> None:
    with pytest.raises(ConnectionLost) as lost:
        common(Speaks(*ours, 1), Speaks(*theirs, 1))
    assert str(lost.value) == says


def test_the_introduction_is_a_message_that_no_other_can_be() -> None:
    assert introduction(7)[:2] == bytes([0x95, MAX_TAG]) and is_introduction(introduction(7))
    assert read_introduction(introduction(7)) == Speaks(1, 1, RULES_KNOWN, 7)
    older = b"\x94" + encode(Speaks(1, 1, 5))[1:-1]  # of a release that says no time
    assert read_introduction(older) == Speaks(1, 1, 5)


def test_what_a_later_release_adds_is_left_alone() -> None:
    later = encode((MAX_TAG, 1, 7, 9, 4, "more", [1]))
    assert read_introduction(later) == Speaks(1, 7, 9, 4)


@pytest.mark.parametrize(
    "data", [b"\x94\x3f", encode((MAX_TAG, 1)), encode((MAX_TAG, "1", 1, 1)), encode((MAX_TAG, -1, 1, 1))]
)
def test_what_says_nothing_is_a_lost_connection(data: bytes) -> None:
    assert is_introduction(data)
    with pytest.raises(ConnectionLost, match="cannot be read"):
        read_introduction(data)


# -- on a connection -----------------------------------------------------------------------------------------------


async def test_two_nodes_tell_each_other() -> None:
    async with pair() as sites:
        for site in sites:
            await until(lambda site=site: detail(site).state.rules == RULES_KNOWN)  # type: ignore[misc]
            assert detail(site).state.messages == 1
            [(_, known)] = site.peers.known_rules().items()
            assert known == RULES_KNOWN
        assert not any(site.got for site in sites), "that is not a message for the machines"


async def test_a_node_of_a_release_that_says_nothing_is_talked_with() -> None:
    async with by_hand() as (site, old):
        await old.send(FrameKind.LAST, b"a message")
        await until(lambda: site.got == [(KEYS[0], b"a message")])
        assert (detail(site).state.messages, detail(site).state.rules) == (1, FIRST_RULES)


async def test_a_newer_node_is_talked_with_in_what_both_speak() -> None:
    async with by_hand() as (site, newer):
        await newer.send(FrameKind.LAST, encode(Speaks(1, 7, 9)))
        await until(lambda: detail(site).state.rules == 9)
        assert detail(site).state.messages == 1
        await newer.send(FrameKind.LAST, encode((40, "a kind of a newer release")))
        await newer.send(FrameKind.LAST, b"a message")
        await until(lambda: len(site.got) == 2)


async def test_a_node_with_nothing_in_common_learns_why_before_both_part() -> None:
    async with by_hand() as (site, newer):
        await newer.send(FrameKind.LAST, encode(Speaks(4, 5, 9)))
        kind, data = await newer.receive()
        assert kind is FrameKind.LAST and (said := read_introduction(data)) == Speaks(1, 1, RULES_KNOWN, said.time_ms)
        assert abs(said.time_ms - time.time() * 1000) < 60_000
        await until(lambda: not detail(site).state.connected)
        assert "versions 4 to 5, this node of version 1: upgrade this node" in detail(site).trouble
        assert (detail(site).state.messages, detail(site).state.rules) == (0, 0)


async def test_both_of_two_that_have_nothing_in_common_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """In one process both would speak the same: each is given its own words in turn."""
    turns = iter([Speaks(1, 1, 1), Speaks(2, 2, 1)])
    told: dict[bytes, Speaks] = {}

    def introduced(time_ms: int) -> bytes:
        words = next(turns, Speaks(1, 1, 1))
        told[encode(words)] = words
        return encode(words)

    monkeypatch.setattr("lucid.services.peer.conversation.introduction", introduced)
    monkeypatch.setattr("lucid.services.peer.conversation.own", lambda: Speaks(3, 3, 1))
    site = Site(1, {KEYS[0]: NOWHERE})
    async with listening(site) as (port, _), trio.open_nursery() as nursery:
        dialer = Site(0, {KEYS[1]: f"tcp://127.0.0.1:{port}"})
        nursery.start_soon(dialer.peers.run)
        await until(lambda: all("this node of version 3" in detail(each).trouble for each in (dialer, site)))
        nursery.cancel_scope.cancel()


async def test_an_introduction_that_cannot_be_read_ends_the_connection() -> None:
    async with by_hand() as (site, hostile):
        await hostile.send(FrameKind.LAST, msgspec.msgpack.encode([MAX_TAG, "x"]))
        await until(lambda: not detail(site).state.connected)
        assert "cannot be read" in detail(site).trouble


def test_this_release_speaks_a_range_that_there_is() -> None:
    assert 1 <= speaking.OLDEST_MESSAGES <= speaking.NEWEST_MESSAGES
