"""Segments of TCP over Ethernet: how many a message takes, and what they weigh on the wire."""

from __future__ import annotations

FRAME_BYTES = 66
"""Ethernet, IP and TCP headers of one segment."""
SEGMENT_BYTES = 1_448
"""Payload of one segment: an Ethernet frame of 1,500 bytes less the headers of IP and TCP with timestamps."""


def segments(size: int) -> int:
    """Segments that a message of `size` bytes takes."""
    return max(1, -(-size // SEGMENT_BYTES))


def wire_bytes(size: int) -> int:
    """What a message of `size` bytes weighs on the wire."""
    return size + FRAME_BYTES * segments(size)
