"""The handshake from both ends, in memory: who lacks the keys gets no connection, and from a listener not a byte."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

import trio
from trio.testing import memory_stream_pair

from fuzz.hostile import CRYPTO, Hostile, framed, key_below
from fuzz.targets import Attempt
from lucid.services.peer.dialing import ConnectionLost
from lucid.services.peer.frames import FrameStream
from lucid.services.peer.handshake import FRAME_BYTES, admit, introduce
from lucid.services.peer.transport import Transport

CHAIN = bytes(32)
HONEST_SECRET = bytes([7]) * 32


@contextmanager
def target() -> Iterator[Attempt]:
    """An honest node and a hostile one that it knows, and one that it does not."""
    honest = Hostile(CHAIN, HONEST_SECRET)  # it has the same things, and does nothing bad with them
    known = Hostile(CHAIN, key_below(honest.key))
    stranger = Hostile(CHAIN, key_below(honest.key))

    async def own() -> Transport:
        return honest.transport

    async def listens(random: Random) -> None:
        near, far = memory_stream_pair()
        sender = random.choice([known, stranger])
        hello = sender.hello(random, honest.key)
        await near.send_all(random.choice([framed(random, hello), random.randbytes(random.randrange(2_000))]))
        await near.send_eof()
        answered = True
        try:
            await admit(FrameStream(far, FRAME_BYTES), own, honest.key, honest.acquaintances(known.key))
        except ConnectionLost as lost:
            answered = "closed the connection" in str(lost)
        else:
            raise AssertionError("admitted without the proof of the keys")
        await far.aclose()
        said = bytes(await near.receive_some())
        assert not said or (answered and sender is known), "somebody unproven was answered"

    async def dials(random: Random) -> None:
        near, far = memory_stream_pair()

        async def answer() -> None:
            hello = await FrameStream(far, FRAME_BYTES).receive()
            data = known.answer(random, hello)
            await far.send_all(random.choice([framed(random, data), random.randbytes(random.randrange(2_000))]))
            await far.send_eof()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(answer)
            try:
                # Even with an answer that holds nobody but the hostile node itself is at the other end.
                sealed = await introduce(
                    FrameStream(near, FRAME_BYTES), honest.transport, known.key, honest.acquaintances(known.key)
                )
                assert sealed.peer == known.key
            except ConnectionLost:
                pass

    def attempt(random: Random) -> None:
        trio.run(random.choice([listens, dials]), random)

    assert CRYPTO.public_key(HONEST_SECRET) == honest.key
    yield attempt
