"""What became of a chunk's file: sound, missing, or corrupted."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from lucid.chain.chunks import MAX_CHUNK_BYTES, chunk_id
from lucid.storage.findings import Finding, look_at

DATA = bytes(range(256)) * 20
CHUNK = chunk_id(DATA)


def pipe(path: Path) -> None:
    """What never ends to be read."""
    os.mkfifo(path)


@pytest.mark.parametrize(
    ("put", "finding", "read"),
    [
        (lambda path: None, Finding.MISSING, 0),
        (lambda path: path.write_bytes(DATA), Finding.SOUND, len(DATA)),
        (lambda path: path.write_bytes(DATA[:-1]), Finding.CORRUPTED, len(DATA) - 1),
        (lambda path: path.write_bytes(b""), Finding.CORRUPTED, 0),
        (Path.mkdir, Finding.CORRUPTED, 0),
        (pipe, Finding.CORRUPTED, 0),
        (lambda path: path.symlink_to("/dev/zero"), Finding.CORRUPTED, 0),
        (lambda path: path.symlink_to(path), Finding.CORRUPTED, 0),
    ],
    ids=["nothing", "its bytes", "a byte less", "empty", "folder", "pipe", "device", "circle"],
)
def test_a_file_is_what_its_bytes_are(
    tmp_path: Path, put: Callable[[Path], object], finding: Finding, read: int
) -> None:
    put(tmp_path / "file")
    assert look_at(tmp_path / "file", CHUNK) == (finding, read)


def test_an_endless_file_is_not_read_to_its_end(tmp_path: Path) -> None:
    with (tmp_path / "file").open("wb") as file:
        file.truncate(64 * MAX_CHUNK_BYTES)
    finding, read = look_at(tmp_path / "file", CHUNK)
    assert finding is Finding.CORRUPTED and MAX_CHUNK_BYTES < read < 2 * MAX_CHUNK_BYTES


def test_a_file_that_cannot_be_asked_for_is_not_called_wrong(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="too long"):
        look_at(tmp_path / ("x" * 300), CHUNK)
