"""Memory that a burst took goes back to the system when the burst is over."""

from __future__ import annotations

import ctypes

LARGE_BYTES = 65_536
"""From this size on memory is the system's own mapping: a part of a message, a body, a chunk."""
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
"""glibc's numbers (malloc.h)."""
_ARENAS = 2


def give_back() -> None:
    """Have glibc return freed memory. Left alone it raises its threshold to whatever was large once, and then keeps the
    heap that holds it: a manager that peers had flooded stayed at twice its size. Elsewhere this does nothing."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    for option, value in ((_MMAP_THRESHOLD, LARGE_BYTES), (_TRIM_THRESHOLD, LARGE_BYTES), (_ARENA_MAX, _ARENAS)):
        mallopt(option, value)
