"""The one codec: canonical MessagePack over frozen array-like structs (protocol section 2).

Decoding re-encodes and compares, so that a value has exactly one encoding and hashing bytes is hashing values.
"""

from __future__ import annotations

from typing import Any, TypeVar, dataclass_transform

import msgspec

from lucid.chain.errors import Code, Refusal

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(msgspec.field,))
class Record(msgspec.Struct, frozen=True, array_like=True, gc=False, forbid_unknown_fields=True):
    """Base of every encoded value: frozen, positional, free of reference cycles."""


class HashedRecord(Record, dict=True, gc=True):
    """A record that keeps what was once worked out of it, above all its hash: in properties that are cached."""


_encoder = msgspec.msgpack.Encoder()
_decoders: dict[Any, msgspec.msgpack.Decoder[Any]] = {}


def prepare() -> None:
    """Build all that decoding needs for every struct of ours that is imported; again after further imports.

    msgspec (0.22) builds a struct's fields when it first decodes one, and a second thread that meets a struct half
    built ends the process with a segmentation fault. So what decodes in several threads calls this before it starts
    them. Left out are the structs of a main program: a service's own request bodies, which one thread decodes.
    """
    kinds: list[type[msgspec.Struct]] = [msgspec.Struct]
    while kinds:
        kind = kinds.pop()
        kinds += kind.__subclasses__()
        if kind.__module__.startswith("lucid."):
            msgspec.msgpack.Decoder(kind)


encode = _encoder.encode
"""Canonical bytes of a `Record` (or of tuples, ints and bytes)."""


def decode(data: bytes, kind: type[T]) -> T:
    """Decode canonical bytes into `kind`.

    Raises `Refusal` with `MALFORMED` when the shape is wrong (truncated, trailing bytes, wrong types, too deep)
    and `NOT_CANONICAL` when another byte string is this value's encoding.
    """
    decoder = _decoders.get(kind)
    if decoder is None:
        decoder = _decoders.setdefault(kind, msgspec.msgpack.Decoder(kind))
    try:
        value: T = decoder.decode(data)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError, OverflowError) as error:
        raise Refusal(Code.MALFORMED, str(error)) from None
    # One encoding for each value: else one thing could have two hashes, and a signature two meanings (section 2).
    if _encoder.encode(value) != data:
        raise Refusal(Code.NOT_CANONICAL)
    return value
