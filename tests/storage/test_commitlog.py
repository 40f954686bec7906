"""The commit log: whatever a crash leaves of what was not synced, all that was acknowledged is there, or it says so."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from lucid.storage.commitlog import (
    IDENTITY_BYTES,
    LOG_BYTES,
    MAX_RECORD_BYTES,
    PAGE_BYTES,
    CommitLog,
    LogDamaged,
    LogFile,
)

IDENTITY = bytes(range(IDENTITY_BYTES))
SECTOR_BYTES = 512
SIZES = st.one_of(st.integers(0, 900), st.integers(3_000, 9_000), st.just(MAX_RECORD_BYTES))


class Disk:
    """A file of which a crash keeps each sector as it was synced, or as it was written since."""

    def __init__(self) -> None:
        self.synced = bytearray()
        self.seen = bytearray()
        self.fails = ""

    def read(self) -> bytes:
        """See `File`."""
        return bytes(self.seen)

    def write(self, offset: int, data: bytes) -> None:
        """See `File`."""
        if self.fails == "write":
            data = data[: len(data) // 2]
        self.seen[offset:offset] = bytes(max(0, offset + len(data) - len(self.seen)))
        self.seen[offset : offset + len(data)] = data
        if self.fails == "write":
            raise OSError(5, "no")

    def sync(self) -> None:
        """See `File`."""
        if self.fails == "sync":
            raise OSError(5, "no")
        self.synced = bytearray(self.seen)

    def clear(self) -> None:
        """See `File`."""
        self.seen.clear()

    def forget(self) -> None:
        """See `File`."""

    def crash(self, chance: Random, kept: float) -> None:
        """Keep that part of what was not synced."""
        assert len(self.seen) == len(self.synced), "the file's size is settled"
        for start in range(0, len(self.seen), SECTOR_BYTES):
            if chance.random() >= kept:
                self.seen[start : start + SECTOR_BYTES] = self.synced[start : start + SECTOR_BYTES]
        self.synced = bytearray(self.seen)


class Crashes(RuleBasedStateMachine):
    """`records` were acknowledged since number `applied`; `maybe` failed, and may be found after a crash or not."""

    def __init__(self) -> None:
        super().__init__()
        self.disk = Disk()
        self.log = CommitLog(self.disk)
        self.log.begin(IDENTITY)
        self.applied = 0
        self.records: list[bytes] = []
        self.maybe: list[bytes] = []
        self.made = 0

    def data(self, size: int) -> bytes:
        """Bytes that no other record has."""
        self.made += 1
        return self.made.to_bytes(4, "big") + bytes([self.made % 251]) * size

    @rule(size=SIZES)
    def append(self, size: int) -> None:
        data = self.data(size)[:MAX_RECORD_BYTES]
        if not self.log.takes(data):
            self.apply(0)
        self.log.append(data)
        self.records.append(data)
        self.maybe = []

    @rule(size=SIZES, how=st.sampled_from(["write", "sync"]))
    def fail(self, size: int, how: str) -> None:
        data = self.data(size)[:MAX_RECORD_BYTES]
        if not self.log.takes(data):
            return
        self.disk.fails = how
        with pytest.raises(OSError, match="no"):
            self.log.append(data)
        self.disk.fails = ""
        self.maybe.append(data)

    @rule(skipped=st.integers(0, 1))
    def apply(self, skipped: int) -> None:
        """All of it is durable elsewhere, and a commit that went there at once."""
        self.applied = self.log.applied(skipped)
        self.records = []
        self.log.restart(skipped)
        if skipped:
            self.maybe = []

    @rule(seed=st.integers(0, 2**32), kept=st.sampled_from([0.0, 0.5, 1.0]))
    def crash(self, seed: int, kept: float) -> None:
        self.disk.crash(Random(seed), kept)
        self.log = CommitLog(self.disk)
        found = self.log.load(IDENTITY, self.applied)
        assert found[: len(self.records)] == self.records, "what was acknowledged is there, in order"
        further = found[len(self.records) :]
        assert len(further) <= 1 and all(each in self.maybe for each in further)
        self.records, self.maybe = found, []

    @rule(size=SIZES, seed=st.integers(0, 2**32))
    def crash_while_it_is_written(self, size: int, seed: int) -> None:
        self.fail(size, "sync")
        self.crash(seed, 0.5)

    @invariant()
    def numbers_count_what_is_durable(self) -> None:
        assert self.log.number == self.applied + len(self.records)


TestCrashes = Crashes.TestCase
TestCrashes.settings = settings(max_examples=40, stateful_step_count=20, deadline=None)


def test_a_record_that_failed_before_the_log_was_filled_again_counts_for_nothing() -> None:
    """It is whole on the disk, has the number of the next one, and that one is torn by a crash."""
    disk, [first] = filled([3_000])
    log = CommitLog(disk)
    assert log.load(IDENTITY, 0) == [first]
    disk.fails = "write"
    with pytest.raises(OSError, match="no"):
        log.append(b"a" * 1_500)
    disk.synced, disk.fails = bytearray(disk.seen), "sync"
    applied = log.applied(0)
    log.restart(0)
    assert log.number == applied
    with pytest.raises(OSError, match="no"):
        log.append(b"b" * 3_000)
    torn = bytearray(disk.synced)
    torn[PAGE_BYTES : PAGE_BYTES + SECTOR_BYTES] = disk.seen[PAGE_BYTES : PAGE_BYTES + SECTOR_BYTES]
    disk.seen = disk.synced = torn
    disk.fails = ""
    log = CommitLog(disk)
    assert log.load(IDENTITY, applied) == []
    log.append(b"c")
    assert CommitLog(disk).load(IDENTITY, applied) == [b"c"]


def filled(sizes: list[int]) -> tuple[Disk, list[bytes]]:
    """A log of records of these sizes."""
    disk = Disk()
    log = CommitLog(disk)
    log.begin(IDENTITY)
    records = [bytes([number]) * size for number, size in enumerate(sizes, 1)]
    for data in records:
        log.append(data)
    return disk, records


def test_a_small_commit_writes_one_page(monkeypatch: pytest.MonkeyPatch) -> None:
    disk, _ = filled([])
    written: list[tuple[int, int]] = []
    monkeypatch.setattr(disk, "write", lambda offset, data: written.append((offset, len(data))))
    log = CommitLog(disk)
    log.load(IDENTITY, 0)
    while log.takes(bytes(1_000)):
        log.append(bytes(1_000))
    assert len(written) > 3 * (LOG_BYTES // PAGE_BYTES - 1)
    assert all(offset % PAGE_BYTES == 0 and size == PAGE_BYTES for offset, size in written)


def test_a_tail_torn_at_any_byte_costs_that_record_alone() -> None:
    disk, records = filled([700, 60, 200])
    end = PAGE_BYTES + sum(20 + len(data) for data in records)
    for cut in range(end - 220, end):
        torn = bytes(disk.seen[:cut]) + bytes(len(disk.seen) - cut)
        copy = Disk()
        copy.seen = bytearray(torn)
        log = CommitLog(copy)
        # A record that ends in zero bytes may be whole without them; these do not.
        assert log.load(IDENTITY, 0) == records[:2]
        log.append(b"next")
        assert CommitLog(copy).load(IDENTITY, 0) == [*records[:2], b"next"]


def test_any_byte_that_changes_before_the_last_record_is_told() -> None:
    disk, records = filled([700, 60, 5_000, 200])
    page = PAGE_BYTES + 2 * PAGE_BYTES  # the long record begins a page; the last one follows it
    places = [*range(PAGE_BYTES, PAGE_BYTES + 800), *range(2 * PAGE_BYTES, page + 900, 7)]
    for place in places:
        copy = Disk()
        copy.seen = bytearray(disk.seen)
        copy.seen[place] ^= 0x10
        with pytest.raises(LogDamaged, match=r"cannot be read|are missing"):
            CommitLog(copy).load(IDENTITY, 0)
    assert CommitLog(disk).load(IDENTITY, 0) == records


def test_what_a_disk_lost_although_it_was_synced_is_told() -> None:
    """A page that never came to the disk, between others that did."""
    disk, _ = filled([3_000] * 6)
    for page in range(1, 6):
        copy = Disk()
        copy.seen = bytearray(disk.seen)
        copy.seen[page * PAGE_BYTES : (page + 1) * PAGE_BYTES] = bytes(PAGE_BYTES)
        with pytest.raises(LogDamaged):
            CommitLog(copy).load(IDENTITY, 0)


def test_a_log_that_is_ahead_of_its_store_or_another_s_is_refused() -> None:
    disk, records = filled([100] * 10)
    assert CommitLog(disk).load(IDENTITY, 4) == records[4:]
    assert CommitLog(disk).load(IDENTITY, 10) == []
    log = CommitLog(disk)
    log.load(IDENTITY, 10)
    log.append(b"eleven")
    assert CommitLog(disk).load(IDENTITY, 10) == [b"eleven"]
    with pytest.raises(LogDamaged, match="commits from 9 to 10 are missing"):
        CommitLog(disk).load(IDENTITY, 8)
    with pytest.raises(LogDamaged, match="another store"):
        CommitLog(disk).load(bytes(IDENTITY_BYTES), 10)
    for size, sentence in ((0, "gone"), (LOG_BYTES - 1, "cut short")):
        del disk.seen[size:]
        disk.seen += bytes(size - len(disk.seen))
        with pytest.raises(LogDamaged, match=sentence):
            CommitLog(disk).load(IDENTITY, 10)


def test_a_file_is_one_opener_s(tmp_path: Path) -> None:
    first, second = LogFile(tmp_path / "log"), LogFile(tmp_path / "log")
    assert first.lock() and not second.lock()
    log = CommitLog(first)
    log.begin(IDENTITY)
    log.append(b"a" * 10_000)
    assert CommitLog(second).load(IDENTITY, 0) == [b"a" * 10_000]
    first.close()
    assert second.lock()
    second.close()
