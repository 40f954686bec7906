"""What became of a chunk's file: sound, missing, or corrupted."""

from __future__ import annotations

import errno
import fcntl
import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from lucid.chain.chunks import MAX_CHUNK_BYTES, chunk_id
from lucid.storage.findings import READ_BYTES, Finding, look_at
from lucid.storage.hashcache import HashCache

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


def test_a_file_is_read_whatever_is_known_of_it(tmp_path: Path) -> None:
    path, sums = tmp_path / "file", HashCache(1 << 20)
    data = random.Random(5).randbytes(READ_BYTES + 5_000)
    chunk = chunk_id(data)
    path.write_bytes(data)
    for _ in range(2):  # by its tree, and by its sums
        assert look_at(path, chunk, sums) == (Finding.SOUND, len(data)) and sums.get(chunk) is not None
    before = path.stat()
    for wrong in (data[:-1], data + b"x", data[:READ_BYTES], data[:-1] + bytes([data[-1] ^ 1])):
        path.write_bytes(wrong)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        assert look_at(path, chunk, sums) == (Finding.CORRUPTED, len(wrong))
    path.write_bytes(data)
    assert look_at(path, chunk, sums) == (Finding.SOUND, len(data))


def test_wrong_sums_alone_condemn_no_file(tmp_path: Path) -> None:
    sums = HashCache(1 << 20)
    sums.keep(CHUNK, len(DATA), bytes(32))
    (tmp_path / "file").write_bytes(DATA)
    assert look_at(tmp_path / "file", CHUNK, sums) == (Finding.SOUND, len(DATA))


@pytest.mark.parametrize("refused", ["open", "preadv"])
def test_a_file_system_that_only_reads_through_memory_is_read_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: str
) -> None:
    data = bytes(range(256)) * 9_000
    (tmp_path / "file").write_bytes(data)
    real = getattr(os, refused)

    def refuses(what: object, *arguments: object) -> object:
        flags = arguments[0] if refused == "open" else fcntl.fcntl(what, fcntl.F_GETFL)  # type: ignore[call-overload]
        if isinstance(flags, int) and flags & os.O_DIRECT:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        return real(what, *arguments)

    monkeypatch.setattr(os, refused, refuses)
    assert look_at(tmp_path / "file", chunk_id(data)) == (Finding.SOUND, len(data))


def test_an_endless_file_is_not_read_to_its_end(tmp_path: Path) -> None:
    with (tmp_path / "file").open("wb") as file:
        file.truncate(64 * MAX_CHUNK_BYTES)
    finding, read = look_at(tmp_path / "file", CHUNK)
    assert finding is Finding.CORRUPTED and MAX_CHUNK_BYTES < read < 2 * MAX_CHUNK_BYTES


def test_a_file_that_cannot_be_asked_for_is_not_called_wrong(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="too long"):
        look_at(tmp_path / ("x" * 300), CHUNK)
