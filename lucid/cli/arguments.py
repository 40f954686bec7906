"""Values of options: durations, sizes and keys, refused unless exact."""

from __future__ import annotations

import argparse
import re

from lucid.cli.failure import Failure
from lucid.durations import parse_ms

_SIZES = {"": 1, "KiB": 1 << 10, "MiB": 1 << 20}


def duration(text: str) -> int:
    """An argument that is a duration with its unit, in ms: people think in seconds, so 7 must not be 7 ms."""
    if text.strip().isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} needs a unit: {text.strip()}s, {text.strip()}m or {text.strip()}ms")
    try:
        return parse_ms(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def hex32(option: str, text: str) -> bytes:
    """32 bytes written in hexadecimal as the value of an option."""
    try:
        value = bytes.fromhex(text)
    except ValueError:
        value = b""
    if len(value) != 32:
        raise Failure(f"{option}: {text!r} must be 64 hexadecimal digits")
    return value


def chunk_size(text: str) -> int:
    """An argument that is the size of a stored chunk, in bytes, KiB or MiB."""
    from lucid.chain.chunks import MAX_CHUNK_BYTES, MIN_CHUNK_BYTES

    match = re.fullmatch(r"([0-9]{1,9})(KiB|MiB|)", text)
    size = int(match[1]) * _SIZES[match[2]] if match else 0
    if not MIN_CHUNK_BYTES <= size <= MAX_CHUNK_BYTES:
        raise argparse.ArgumentTypeError(f"{text!r} must be a size within 1KiB..16MiB")
    return size
