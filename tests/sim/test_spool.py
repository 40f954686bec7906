"""The spool gives back what it was given."""

from __future__ import annotations

import os
from pathlib import Path

from sim.spool import Spool


def test_bytes_come_back_by_their_number() -> None:
    spool = Spool()
    given = [b"one", b"", bytes(100_000), b"two"]
    numbers = [spool.put(each) for each in given]
    assert [spool.read(each) for each in reversed(numbers)] == given[::-1]


def test_its_file_is_closed_with_it_and_there_is_none_before_it_is_needed() -> None:
    before = _open_files()
    spool = Spool()
    assert _open_files() == before
    spool.put(b"kept")
    assert _open_files() == before + 1
    del spool
    assert _open_files() == before


def _open_files() -> int:
    """How many open files of this process nobody can name."""
    links = list(Path("/proc/self/fd").iterdir())
    return sum(os.readlink(each).endswith(" (deleted)") for each in links if each.is_symlink())
