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


class Meeting:
    """An honest node, a hostile one that it knows, and one that it does not."""

    def __init__(self) -> None:
        self.honest = Hostile(CHAIN, HONEST_SECRET)  # it has the same things, and does nothing bad with them
        self.known = Hostile(CHAIN, key_below(self.honest.key))
        self.stranger = Hostile(CHAIN, key_below(self.honest.key))

    def attempt(self, random: Random) -> None:
        """The honest node is dialed, or dials."""
        trio.run(random.choice([self._listens, self._dials]), random)

    async def _transport(self) -> Transport:
        return self.honest.transport

    async def _listens(self, random: Random) -> None:
        honest = self.honest
        near, far = memory_stream_pair()
        sender = random.choice([self.known, self.stranger])
        hello = sender.hello(random, honest.key)
        await near.send_all(random.choice([framed(random, hello), random.randbytes(random.randrange(2_000))]))
        await near.send_eof()
        answered = True
        acquaintances = honest.acquaintances(self.known.key)
        try:
            await admit(FrameStream(far, FRAME_BYTES), self._transport, honest.key, acquaintances)
        except ConnectionLost as lost:
            answered = "closed the connection" in str(lost)
        else:
            raise AssertionError("admitted without the proof of the keys")
        await far.aclose()
        said = bytes(await near.receive_some())
        assert not said or (answered and sender is self.known), "somebody unproven was answered"

    async def _dials(self, random: Random) -> None:
        honest, known = self.honest, self.known
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


@contextmanager
def target() -> Iterator[Attempt]:
    """An honest node and a hostile one that it knows, and one that it does not."""
    meeting = Meeting()
    assert CRYPTO.public_key(HONEST_SECRET) == meeting.honest.key
    yield meeting.attempt
