"""A second encoder, written from the MessagePack specification alone, that the product's codec is compared with.

https://github.com/msgpack/msgpack/blob/master/spec.md, sections "Formats" and "Serialization: type to format
conversion": of the formats that can hold a value, the one that takes the fewest bytes.
"""

from __future__ import annotations

from msgspec import structs

from lucid.chain.codec import Record

NIL, FALSE, TRUE = 0xC0, 0xC2, 0xC3
BIN_8, UINT_8, INT_8, STR_8, ARRAY_16 = 0xC4, 0xCC, 0xD0, 0xD9, 0xDC


def pack(value: object) -> bytes:
    """The canonical encoding of nested records, tuples, ints, bools, bytes, texts and None."""
    match value:
        case None | bool():
            return bytes([{None: NIL, False: FALSE, True: TRUE}[value]])
        case int():
            return _pack_int(value)
        case bytes():
            return _sized(len(value), BIN_8, (1, 2, 4)) + value
        case str():
            text = value.encode()
            return (bytes([0xA0 + len(text)]) if len(text) < 32 else _sized(len(text), STR_8, (1, 2, 4))) + text
        case tuple():
            count = len(value)
            head = bytes([0x90 + count]) if count < 16 else _sized(count, ARRAY_16, (2, 4))
            return head + b"".join(pack(item) for item in value)
        case Record():
            tag = type(value).__struct_config__.tag
            return pack((*(() if tag is None else (tag,)), *structs.astuple(value)))
        case _:
            raise TypeError(type(value))


def _pack_int(number: int) -> bytes:
    if -32 <= number < 128:
        return number.to_bytes(1, "big", signed=number < 0)
    for place, size in enumerate((1, 2, 4, 8)):
        if 0 <= number < 1 << 8 * size:
            return bytes([UINT_8 + place]) + number.to_bytes(size, "big")
        if -(1 << 8 * size - 1) <= number < 0:
            return bytes([INT_8 + place]) + number.to_bytes(size, "big", signed=True)
    raise OverflowError(number)


def _sized(length: int, first: int, sizes: tuple[int, ...]) -> bytes:
    """A format byte, counted up from `first` by the size of the length that follows it."""
    for place, size in enumerate(sizes):
        if length < 1 << 8 * size:
            return bytes([first + place]) + length.to_bytes(size, "big")
    raise OverflowError(length)
