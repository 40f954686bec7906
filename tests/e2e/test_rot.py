"""Rot of every kind, planted in the chunks of three real nodes: found within one scrub period, and repaired."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from lucid.chain.chunks import chunk_id
from lucid.services.devnet import Devnet
from lucid.services.devnode import DevNode
from tests.e2e.test_replication import file_of, put
from tests.waiting import wait_until

PERIOD_S = 60
ROUND_S = 20 * PERIOD_S
"""How long the first round may take, in which everything that was stored comes."""
CHUNKS = 30
EXCHANGED = 6
"""Beside them, two at each node."""
PAGE_BYTES = 4_096


def flip(path: Path) -> None:
    """One bit of it is another."""
    with path.open("r+b") as file:
        at = random.Random(path.name).randrange(path.stat().st_size)
        file.seek(at)
        [byte] = file.read(1)
        file.seek(at)
        file.write(bytes([byte ^ 1 << at % 8]))


def flip_as_it_was(path: Path) -> None:
    """The same, with size and times as they were: as a disk rots."""
    before = path.stat()
    flip(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def cut(path: Path) -> None:
    """The end is missing."""
    os.truncate(path, path.stat().st_size - 1 - random.Random(path.name).randrange(5_000))


def zero_page(path: Path) -> None:
    """A page was never written."""
    with path.open("r+b") as file:
        file.seek(random.Random(path.name).randrange(path.stat().st_size // PAGE_BYTES) * PAGE_BYTES)
        file.write(bytes(PAGE_BYTES))


def lengthen(path: Path) -> None:
    """There are more bytes than it had."""
    with path.open("ab") as file:
        file.write(b"more")


def empty(path: Path) -> None:
    """Nothing of it is left but its name."""
    os.truncate(path, 0)


def folder(path: Path) -> None:
    """What has its name is no file."""
    path.unlink()
    path.mkdir()


def swap(path: Path) -> None:
    """It has the bytes of another chunk, whole."""
    other = next(each for each in sorted(path.parent.parent.glob("??/*")) if each != path and each.is_file())
    path.write_bytes(other.read_bytes())


def exchange(path: Path, other: Path) -> None:
    """Two chunks have each other's bytes, whole."""
    aside = path.with_suffix(".aside")
    path.rename(aside)
    other.rename(path)
    aside.rename(other)


KINDS: tuple[Callable[[Path], None], ...] = (
    flip, flip_as_it_was, cut, zero_page, lengthen, empty, folder, swap, Path.unlink,
)  # fmt: skip


class Planted(NamedTuple):
    """A chunk of a node whose file is not its own any more."""

    node: DevNode
    data: bytes
    kind: str
    since_s: float
    since_ms: int

    @property
    def found(self) -> bool:
        """Whether what was wrong was set aside; where there is nothing, whether it came back, as what is found does."""
        aside = file_of(self.node, self.data).parent.parent / "quarantine" / chunk_id(self.data).hex()
        return aside.exists() or (self.kind == "unlink" and file_of(self.node, self.data).exists())

    @property
    def repaired(self) -> bool:
        """Whether the file has the bytes of its name again."""
        path = file_of(self.node, self.data)
        return path.is_file() and path.read_bytes() == self.data


@pytest.fixture
def scrubbed(tmp_path: Path) -> Iterator[Devnet]:
    """Three nodes that read everything within a minute."""
    network = Devnet(tmp_path / "rot", 3, 1_000)
    for node in network.nodes:
        with node.settings.open("a", encoding="utf-8") as file:
            file.write(f"scrub_period_s = {PERIOD_S}\nscrub_tranquility = 0\n")
    with network:
        network.await_healthy()
        yield network


def plant(network: Devnet, count: int) -> list[Planted]:
    """Store so many chunks, have all nodes hold and read them, and damage each at one or two nodes; returns what was
    damaged, each kind as often as the others."""
    bodies = [random.Random(number).randbytes(20_000 + 1_001 * (number % 60)) for number in range(count)]
    for number, data in enumerate(bodies):
        assert put(network.nodes[number % 3], data)
    pairs = [
        tuple(random.Random(f"pair {number} {turn}").randbytes(30_000) for turn in range(2)) for number in range(3)
    ]
    for pair in pairs:
        for data in pair:
            assert put(network.nodes[0], data)
    files = [(node, data) for data in (*bodies, *chain(*pairs)) for node in network.nodes]
    wait_until(lambda: all(file_of(*each).exists() for each in files), "every node has a copy", ROUND_S)
    stored_ms = time.time_ns() // 1_000_000
    wait_until(lambda: all(read_since(node) > stored_ms for node in network.nodes), "all was read once", ROUND_S)
    planted, number = list[Planted](), 0
    for at, data in enumerate(bodies):
        for node in (network.nodes[(at + turn) % 3] for turn in range(1 + at % 2)):
            kind = KINDS[number % len(KINDS)]
            number += 1
            kind(file_of(node, data))
            planted.append(Planted(node, data, kind.__name__, time.monotonic(), time.time_ns() // 1_000_000))
    for node, pair in zip(network.nodes, pairs, strict=True):
        exchange(*[file_of(node, data) for data in pair])
        now_s, now_ms = time.monotonic(), time.time_ns() // 1_000_000
        planted += [Planted(node, data, exchange.__name__, now_s, now_ms) for data in pair]
    return planted


def read_since(node: DevNode) -> int:
    """Since when a node has read all that it holds."""
    status = httpx.get(f"{node.url('data')}/status", timeout=60).json()
    return int(status["scrub"]["all_read_since_ms"])


def test_all_rot_is_found_within_a_period_and_repaired(scrubbed: Devnet) -> None:
    planted = plant(scrubbed, CHUNKS)
    assert len(planted) == CHUNKS * 3 // 2 + EXCHANGED
    assert {each.kind for each in planted} == {kind.__name__ for kind in (*KINDS, exchange)}
    # By the node's own word that a round is over, since a busy machine may take longer for it than the period.
    last_ms = planted[-1].since_ms
    wait_until(lambda: all(read_since(node) > last_ms for node in scrubbed.nodes), "all was read again", ROUND_S)
    missed = [each.kind for each in planted if not each.found and each.kind != "unlink"]
    assert not missed, "what is there and wrong was found by then"
    wait_until(lambda: all(each.repaired for each in planted), "all of it is repaired")
    for node in scrubbed.nodes:
        status = httpx.get(f"{node.url('data')}/status", timeout=60).json()
        assert status["chunks"] == CHUNKS + EXCHANGED
        wait_until(lambda node=node: no_faults(node), "no fault is left")  # type: ignore[misc]


def no_faults(node: DevNode) -> bool:
    """Whether a node knows of no chunk that is missing or corrupted."""
    status = httpx.get(f"{node.url('data')}/status", timeout=60).json()
    return not status["missing"] + status["corrupted"]
