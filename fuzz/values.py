"""Values of any record type, and bytes that are nearly right, from a `Random`."""

from __future__ import annotations

from random import Random
from typing import Any

import msgspec

NUMBERS = [0, 1, 2, 3, 7, 64, 255, 256, 65_535, 2**31, 2**32, 2**53 - 1, 2**53]
MAX_BYTES = 200
MAX_ITEMS = 4
MAX_DEPTH = 4
MOSTLY = 0.99


def value(random: Random, kind: Any) -> Any:
    """A value of a type, at the edges of its bounds more often than not."""
    return _value(random, msgspec.inspect.type_info(kind), 0)


def _value(random: Random, info: Any, depth: int) -> Any:
    made: Any
    match info:
        case msgspec.inspect.IntType():
            bounded = [each for each in NUMBERS if info.le is None or each <= info.le]
            made = random.choice(bounded) if random.random() < MOSTLY else -1
        case msgspec.inspect.BytesType():
            least, most = info.min_length or 0, min(info.max_length or MAX_BYTES, MAX_BYTES)
            made = random.randbytes(random.choice([least, max(least, most), random.randint(least, max(least, most))]))
        case msgspec.inspect.StrType():
            made = random.choice(["", "a", "\N{SNOWMAN}", "x" * 50])
        case msgspec.inspect.NoneType():
            made = None
        case msgspec.inspect.UnionType():
            made = _value(random, random.choice(info.types), depth)
        case msgspec.inspect.VarTupleType():
            few = 0 if depth > MAX_DEPTH else random.randrange(MAX_ITEMS)
            count = max(few, info.min_length or 0) if random.random() < MOSTLY else few
            made = tuple(_value(random, info.item_type, depth + 1) for _ in range(count))
        case msgspec.inspect.TupleType():
            made = tuple(_value(random, each, depth + 1) for each in info.item_types)
        case msgspec.inspect.StructType():
            made = info.cls(**{each.name: _value(random, each.type, depth + 1) for each in info.fields})
        case _:
            raise AssertionError(f"no values are made of {info}")
    return made


def spoiled(random: Random, data: bytes) -> bytes:
    """The same with some bytes changed, put in, taken out or repeated; or as it is."""
    for _ in range(random.choice([0, 1, 1, 2, 8])):
        at = random.randrange(len(data) + 1)
        data = random.choice(
            [
                data[:at] + random.randbytes(1) + data[at + 1 :],
                data[:at] + random.choice([b"\xff", b"\x00", b"\xc0", b"\xdd\xff\xff\xff\xff"]) + data[at:],
                data[:at] + data[at + 1 :],
                data[:at],
                data[at:] + data[:at],
            ]
        )
    return data
