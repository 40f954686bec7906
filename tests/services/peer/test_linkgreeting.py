"""How the engine's link begins: an engine of another release is told so, what is no greeting is refused."""

from __future__ import annotations

import pytest
import trio

from lucid.chain.codec import Record, decode, encode
from lucid.chain.errors import Refusal
from lucid.services.devnet import Devnet
from lucid.services.peer.link import PATH
from lucid.services.peer.linkgreeting import LINK_VERSION, Greeting, LinkVersion, read_greeting
from lucid.services.peer.linkmessages import FROM_MANAGER, Farewell
from lucid.services.web.websocket import open_websocket
from tests.services.peer.ownengine import await_own_engine


def test_a_greeting_is_read_as_it_was_sent() -> None:
    greeting = Greeting(b"c" * 32, b"k" * 32)
    assert read_greeting(encode(greeting)) == greeting and greeting.version == LINK_VERSION


@pytest.mark.parametrize(("fields", "version"), [((b"c" * 32, b"k" * 32), 1), ((b"c" * 32, b"k" * 32, 9, "more"), 9)])
def test_the_greeting_of_another_release_is_one_sentence(fields: tuple[object, ...], version: int) -> None:
    with pytest.raises(LinkVersion) as lost:
        read_greeting(encode(fields))
    said = f"the engine speaks version {version} of their link, this manager version {LINK_VERSION}"
    assert str(lost.value) == f"{said}: run both from one release"


@pytest.mark.parametrize("data", [b"", b"\x00", encode(("c",)), encode((b"c", b"k", "2"))])
def test_what_is_no_greeting_is_refused(data: bytes) -> None:
    with pytest.raises(Refusal):
        read_greeting(data)


def test_an_engine_of_another_release_is_told_why_and_the_node_goes_on(lone: Devnet) -> None:
    node = lone.nodes[0]

    async def greet() -> Record:
        bearer = {"Authorization": f"Bearer {node.token}"}
        async with open_websocket(node.url("manager").replace("http", "ws", 1) + PATH, bearer) as frames:
            await frames.send(encode((lone.genesis.chain_id, node.key)))
            with trio.fail_after(20):
                return decode(await frames.receive(), FROM_MANAGER.says)  # type: ignore[no-any-return]

    parting = trio.run(greet)
    assert isinstance(parting, Farewell) and "version 1 of their link" in parting.why
    await_own_engine(lone)
