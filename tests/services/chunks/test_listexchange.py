"""How data chains learn which chunks a session has, and what a liar can do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trio

from lucid.chain.codec import encode
from lucid.machines.replicamessages import (
    MAX_BYTES,
    MAX_IDS,
    MAX_NAMED,
    ListPart,
    ListRequest,
    SessionOffer,
    decode_replica,
    is_replica_message,
)
from lucid.services.chunks import listexchange
from lucid.services.chunks.storedlists import kept
from tests.services.chunks.fleets import body, run
from tests.services.chunks.holdingfleet import BODIES, IDS, SESSION, Fleet, hurried
from tests.waiting import until

__all__ = ["hurried"]
pytestmark = pytest.mark.usefixtures("hurried")


@pytest.mark.parametrize("how", ["other ids", "too few", "nothing", "silence", "another session"])
async def test_a_list_that_is_not_the_sessions_is_not_kept(tmp_path: Path, how: str) -> None:
    """Else a node would say that it holds what it does not."""

    def lie(message: Any) -> Any:
        if not isinstance(message, ListPart):
            return message
        if how == "silence":
            return None
        ids = {"other ids": message.ids[::-1], "too few": message.ids[:-1], "nothing": ()}.get(how, message.ids)
        session = b"?" * 48 if how == "another session" else message.session
        return ListPart(message.request, session, message.first, ids)

    async def test(fleet: Fleet) -> None:
        nodes = await fleet.grow(2)
        fleet.lies[nodes[0].key] = lie
        for data in BODIES:
            await nodes[0].chunks.put(body(data), SESSION, None)
        fleet.anchor(nodes[0], IDS)
        await until(lambda: fleet.says(nodes[0]) == ((0, 12),) and nodes[1].chunks.inventory.count == 12)
        await trio.sleep(0.5)
        assert not fleet.says(nodes[1]) and not await nodes[1].store.read(nodes[1].holdings.lists.stored.known, SESSION)
        if how != "silence":  # there it goes on waiting
            fleet.lies = {}
            await until(lambda: fleet.says(nodes[1]) == ((0, 12),))

    await run(tmp_path, Fleet, test)


@pytest.mark.parametrize("how", ["silence", "drips"])
async def test_who_offers_lists_that_do_not_come_keeps_no_others_waiting(tmp_path: Path, how: str) -> None:
    """Sessions of its own, anchored as they should be: each list takes it forever, or comes an id at a time."""
    own = [number.to_bytes(16, "big") + b"l" * 32 for number in range(40)]
    long = [number.to_bytes(32, "big") for number in range(3 * MAX_IDS)]

    async def test(fleet: Fleet) -> None:
        nodes = await fleet.grow(3)
        fleet.lies[nodes[1].key] = lambda each: None if isinstance(each, ListPart) else each
        fleet.chain.sessions |= dict.fromkeys(own, long)
        if how == "drips":

            async def drip(peer: bytes, asked: ListRequest) -> None:
                await trio.sleep(1)
                part = ListPart(asked.request, asked.session, asked.first, tuple(long[asked.first :][:1]))
                await nodes[2].holdings.lists.handle(nodes[1].key, part)

            nodes[1].holdings.lists._on_request = drip  # type: ignore[method-assign]
        await until(lambda: len(nodes[2].replication.connected) == 2)
        for data in BODIES:
            await nodes[0].chunks.put(body(data), SESSION, None)
        await nodes[2].holdings.lists.handle(nodes[1].key, SessionOffer(tuple(own)))
        await trio.sleep(0.1)
        fleet.anchor(nodes[0], IDS)
        await until(lambda: fleet.says(nodes[2]) == ((0, 12),))

    await run(tmp_path, Fleet, test)


async def test_a_peer_is_sent_so_many_parts_of_lists_in_a_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A question of 60 bytes is answered with 32 KiB."""

    async def test(fleet: Fleet) -> None:
        nodes = await fleet.grow(2)
        await until(lambda: all(node.replication.asked for node in nodes))
        await nodes[0].store.write(kept(SESSION, IDS))
        sent: list[Any] = []
        fleet.lies[nodes[0].key] = lambda each: sent.append(each) if isinstance(each, ListPart) else each
        for number in range(3 * listexchange.LISTS_A_SECOND):
            await nodes[0].holdings.lists.handle(nodes[1].key, ListRequest(number, SESSION, 0))
        assert len(sent) == listexchange.LISTS_A_SECOND
        await nodes[0].holdings.lists.handle(nodes[0].key, ListRequest(1, SESSION, 0))
        assert len(sent) == listexchange.LISTS_A_SECOND + 1, "another peer has its own"

    monkeypatch.setattr(listexchange, "clock_ms", lambda: 5_000_000)
    await run(tmp_path, Fleet, test)


def test_messages_are_bounded() -> None:
    largest = ListPart(2**53, SESSION, 2**53, (bytes(32),) * MAX_IDS)
    for message in (largest, SessionOffer((SESSION,) * MAX_NAMED), ListRequest(2**53, SESSION, 2**53)):
        assert len(encode(message)) < MAX_BYTES and is_replica_message(encode(message))
        assert decode_replica(encode(message)) == message
