"""What peers' data chains say on its way to this node's: in order for each peer, bounded, and always let go of."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
from quart import Response

from lucid.chain.codec import encode
from lucid.machines.replicamessages import MAX_BYTES, ChunkRequest, decode_replica
from lucid.services.chunks import chunkrelay as relaying
from lucid.services.chunks.chunkrelay import WAITING, ChunkRelay
from lucid.services.process.config import load_config
from lucid.services.web.admission import NODE
from lucid.services.web.requested import read_body
from lucid.services.web.web import json_response
from tests.services.web.served import served, web
from tests.waiting import until

ONE, TWO = b"1" * 32, b"2" * 32


def message(number: int) -> bytes:
    """A message that names its number."""
    return encode(ChunkRequest(request=number, chunk=bytes(32), segment=0))


class DataChain:
    """A data chain that takes what it is handed, or answers so."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, int]] = []
        self.status = 202
        self.kit = web(token="node")

        @self.kit.route("POST", "/node/replica-messages/<node>", "As the data chain has it", raw=bytes, access=NODE)
        async def said(node: str) -> Response:
            found = decode_replica(await read_body(MAX_BYTES))
            assert isinstance(found, ChunkRequest)
            self.taken.append((node, found.request))
            return json_response({}, self.status)


class Told:
    """How many messages were let go of."""

    def __init__(self) -> None:
        self.handled = 0

    def __call__(self) -> None:
        self.handled += 1


@asynccontextmanager
async def relay(data: DataChain) -> AsyncIterator[tuple[ChunkRelay, Told]]:
    """A relay between two peers and a data chain."""
    async with served(data.kit) as (_, port), trio.open_nursery() as nursery:
        found = ChunkRelay([ONE, TWO], load_config({}, data_url=f"http://127.0.0.1:{port}", token="node"))
        nursery.start_soon(found.run)
        yield found, Told()
        nursery.cancel_scope.cancel()


def still() -> ChunkRelay:
    """A relay that carries nothing: there is no data chain at that port."""
    return ChunkRelay([ONE, TWO], load_config({}, data_url="http://127.0.0.1:9", token="node"))


async def test_each_peer_s_messages_come_in_order_and_name_who_said_them() -> None:
    data = DataChain()
    async with relay(data) as (found, told):
        for number in range(WAITING):
            for peer in (ONE, TWO):
                found.take(peer, message(number), told)
        await until(lambda: told.handled == 2 * WAITING)
    for peer in (ONE, TWO):
        assert [number for name, number in data.taken if name == peer.hex()] == list(range(WAITING))
    assert (found.dropped, found.refused) == (0, 0)


async def test_what_a_peer_sends_beyond_its_queue_is_dropped_at_once_and_no_other_peer_s() -> None:
    found, told = still(), Told()
    for number in range(WAITING + 3):
        found.take(ONE, message(number), told)
    assert (found.dropped, told.handled) == (3, 3)
    found.take(TWO, message(0), told)
    assert (found.dropped, told.handled) == (3, 3)
    found.take(TWO, message(0) + bytes(MAX_BYTES), told)
    assert (found.dropped, told.handled) == (4, 4), "what is too long never waits"


async def test_what_is_no_message_is_counted_and_goes_no_further() -> None:
    data = DataChain()
    async with relay(data) as (found, told):
        for wrong in (b"", b"\xc1", message(1)[:-1], message(1) + b"x"):
            found.take(ONE, wrong, told)
        found.take(ONE, message(7), told)
        await until(lambda: told.handled == 5)
    assert (found.refused, found.dropped, data.taken) == (4, 0, [(ONE.hex(), 7)])


@pytest.mark.parametrize("status", [400, 429, 503])
async def test_what_the_data_chain_does_not_take_is_dropped_and_the_next_one_goes_on(status: int) -> None:
    data = DataChain()
    data.status = status
    async with relay(data) as (found, told):
        found.take(ONE, message(1), told)
        await until(lambda: told.handled == 1)
        assert (found.dropped, found.refused) == (1, 0)
        data.status = 202
        found.take(ONE, message(2), told)
        await until(lambda: told.handled == 2)
    assert found.dropped == 1 and data.taken == [(ONE.hex(), 1), (ONE.hex(), 2)], "it is said once"


async def test_what_comes_while_the_data_chain_is_away_is_dropped() -> None:
    found, told = still(), Told()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(found.run)
        for number in range(3):
            found.take(ONE, message(number), told)
        await until(lambda: told.handled == 3)
        assert (found.dropped, found.refused) == (3, 0)
        nursery.cancel_scope.cancel()


async def test_no_more_are_handed_on_in_a_second_than_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relaying, "PER_SECOND", 20)
    data = DataChain()
    async with relay(data) as (found, told):
        began = trio.current_time()
        for number in range(3):
            for peer in (ONE, TWO):
                found.take(peer, message(number), told)
        await until(lambda: told.handled == 6)
        assert trio.current_time() - began >= 6 / 20, "of all peers together"
    assert len(data.taken) == 6
