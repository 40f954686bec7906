"""Bytes that are seldom needed again, in a file that nobody else sees and that is gone with the process."""

from __future__ import annotations

import os
import tempfile
import weakref

LENGTH_BITS = 32
"""A number names the place of bytes in the file, and in its lower bits their length."""


class Spool:
    """Takes bytes and gives a number for them; makes its file when it has something to keep."""

    def __init__(self) -> None:
        self._file = -1
        self._end = 0

    def put(self, data: bytes) -> int:
        """Keep these bytes; returns the number to read them by. Raises `OSError`."""
        if self._file < 0:
            self._file, path = tempfile.mkstemp(prefix="lucid-sim-")
            os.unlink(path)
            weakref.finalize(self, os.close, self._file)
        number = self._end << LENGTH_BITS | len(data)
        while data:
            written = os.pwrite(self._file, data, self._end)
            self._end += written
            data = data[written:]
        return number

    def read(self, number: int) -> bytes:
        """The bytes that were given this number. Raises `OSError`."""
        return os.pread(self._file, number & (1 << LENGTH_BITS) - 1, number >> LENGTH_BITS)
