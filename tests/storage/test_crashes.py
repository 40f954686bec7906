"""Both stores when a process is killed for real: what was acknowledged is there, and no batch is torn."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import IO

import pytest

from lucid.storage.opening import open_store
from tests.mongod import Mongod

# Batch after batch over the same ten pairs of keys, so that a torn batch leaves two values that differ.
WRITER = """
import sys
from lucid.storage.interface import StoreError
from lucid.storage.opening import open_store

store = open_store(sys.argv[1])
for number in range(1_000_000):
    key, value = bytes([number % 10]), number.to_bytes(4, "big") * 2_000
    try:
        store.write([("row", b"a" + key, value), ("tree", b"b" + key, value), ("gone", key, None)])
    except StoreError:
        break
    print(number, flush=True)
"""


@pytest.fixture(params=["sqlite", "mongo"])
def url(request: pytest.FixtureRequest) -> str:
    """Where a new store may be."""
    if request.param == "mongo":
        mongod: Mongod = request.getfixturevalue("mongod")
        return mongod.url()
    return f"sqlite:{request.getfixturevalue('tmp_path')}/store"


@contextmanager
def writer(url: str) -> Iterator[tuple[subprocess.Popen[str], IO[str]]]:
    """A process that writes and says what it got acknowledged."""
    with subprocess.Popen([sys.executable, "-c", WRITER, url], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout
        finally:
            process.kill()


def acknowledged(out: IO[str]) -> int:
    """The last number that the writer got to print whole."""
    return [int(line) for line in out.read().splitlines(keepends=True) if line.endswith("\n")][-1]


def assert_whole(url: str, last: int) -> None:
    """Every pair is of one batch, and none is older than what was acknowledged."""
    with closing(open_store(url)) as store:
        rows, nodes = ({key[1:]: value for key, value in store.scan(table)} for table in ("row", "tree"))
        assert rows == nodes and len(rows) == 10
        assert store.check() == []
    numbers = {key[0]: int.from_bytes(value[:4], "big") for key, value in rows.items()}
    assert all(number % 10 == key for key, number in numbers.items())
    assert last <= max(numbers.values()) <= last + 1, "the batch on its way may be there, and no other"
    assert sorted(numbers.values()) == list(range(max(numbers.values()) - 9, max(numbers.values()) + 1))


@pytest.mark.parametrize("lines", [11, 60])
def test_a_writer_is_killed(url: str, lines: int) -> None:
    with writer(url) as (process, out):
        for _ in range(lines):
            out.readline()
        process.kill()
        last = acknowledged(out)
    assert_whole(url, last)


def test_a_mongod_is_killed(mongod: Mongod) -> None:
    url = mongod.url()
    with writer(url) as (process, out):
        for _ in range(40):
            out.readline()
        mongod.kill()
        # The writer sees its connection end and stops by itself.
        process.wait(20)
        last = acknowledged(out)
    mongod.start()
    assert_whole(url, last)
