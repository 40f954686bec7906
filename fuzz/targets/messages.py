"""Messages between nodes as no codec should take them: refused with a code, or the one encoding of what they hold."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

from fuzz.hostile import message
from fuzz.targets import Attempt
from fuzz.values import spoiled
from lucid.chain.codec import encode
from lucid.chain.errors import Refusal
from lucid.machines.decodedmessages import decode_message

LONGEST_S = 1.0
DEEP = [b"\x91" * 5_000, b"\x91\x01" * 2_000, b"\xdd\xff\xff\xff\xff", b"\xc6\xff\xff\xff\xff", b"\x9f" * 3_000]


def attempt(random: Random) -> None:
    """Decode one."""
    data = random.choice([message(random), message(random), spoiled(random, random.choice(DEEP)), random.randbytes(99)])
    began = time.thread_time()
    try:
        decoded = decode_message(data)
    except Refusal:
        pass
    else:
        assert encode(decoded) == data, f"two encodings of one message: {data.hex()}"
    assert time.thread_time() - began < LONGEST_S, f"it took {time.thread_time() - began:.1f} s"


@contextmanager
def target() -> Iterator[Attempt]:
    """Nothing needs to run."""
    yield attempt
