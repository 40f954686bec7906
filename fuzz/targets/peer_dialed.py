"""A node that dials a hostile one, over real sockets: whatever answers, the dialer goes on, and foresaw it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from random import Random

import trio

from fuzz.hostile import CRYPTO, Hostile, framed, key_below, misbehave
from fuzz.targets import Attempt
from lucid.chain.errors import Refusal
from lucid.machines.decodedmessages import decode_message
from lucid.services.peer.frames import FrameStream
from lucid.services.peer.handshake import FRAME_BYTES, admit
from lucid.services.peer.peers import Peers
from lucid.services.peer.transport import Transport

CHAIN = bytes(32)
CASE_S = 30.0


async def answer(random: Random, stream: trio.SocketStream, hostile: Hostile, dialer: bytes) -> None:
    """What a hostile node says to the one that dialed it: noise, half a handshake, or a whole one and worse."""

    async def own() -> Transport:
        return hostile.transport

    frames = FrameStream(stream, FRAME_BYTES)
    with suppress(Exception):  # its own troubles are nobody's
        act = random.randrange(4)
        if act == 0:
            await stream.send_all(random.randbytes(random.choice([0, 1, 4, 200, 5_000])))
        elif act == 1:
            await stream.send_all(framed(random, hostile.answer(random, await frames.receive())))
            await stream.send_all(random.randbytes(50))
        else:
            sealed = await admit(frames, own, hostile.key, hostile.acquaintances(dialer))
            await misbehave(random, sealed, frames)
    await trio.aclose_forcefully(stream)


@contextmanager
def target() -> Iterator[Attempt]:
    """A hostile node that listens, and one that dials it once a case."""
    hostile = Hostile(CHAIN, bytes([7]) * 32)
    honest = Hostile(CHAIN, key_below(hostile.key))

    async def deliver(peer: bytes, data: bytes, handled: Callable[[], None]) -> None:
        with suppress(Refusal):
            decode_message(data)
        handled()

    async def case(random: Random) -> None:
        with trio.fail_after(CASE_S):
            async with trio.open_nursery() as nursery:
                serve = partial(answer, random, hostile=hostile, dialer=honest.key)
                [listener] = await nursery.start(partial(trio.serve_tcp, serve, 0, host="127.0.0.1"))
                port = listener.socket.getsockname()[1]
                peers = Peers(CRYPTO, honest.key, CHAIN, {hostile.key: f"tcp://127.0.0.1:{port}"}, deliver)
                peers.certify(honest.transport)
                [peer] = peers.peers.values()
                with peers._isolated(peer):
                    await peers._once(peer)
                assert not peers.failures, f"not foreseen: {peer.trouble}"
                assert peer.trouble and peers._outboxes.held == peers._incoming.partial == peers._incoming.whole == 0
                nursery.cancel_scope.cancel()

    yield lambda random: trio.run(case, random)
