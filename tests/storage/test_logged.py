"""SQLite with its commit log: a crash at any step, another process, no room, and files that do not belong together."""

from __future__ import annotations

import errno
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from lucid.ledger.rowstore import Write
from lucid.storage import logged
from lucid.storage.commitlog import LOG_BYTES, MAX_RECORD_BYTES, LogFile
from lucid.storage.errors import StoreDamaged, StoreError, StoreFull
from lucid.storage.interface import LOG_TABLE, LOGGED_VERSION, SCHEMA_VERSION
from lucid.storage.logged import LoggedStore, log_path
from lucid.storage.opening import open_store
from lucid.storage.sqlite import SqliteStore
from tests.storage.test_interface import applied, everything

Rows = dict[str, dict[bytes, bytes]]


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A log from the first commit on."""
    monkeypatch.setattr(logged, "WORTH_COMMITS", 0)


def some(number: int, size: int = 900) -> list[Write]:
    """A commit: two rows that belong together, one that changes each time, and one that goes."""
    key = number.to_bytes(4, "big")
    return [
        ("row", b"a" + key, bytes([number % 251]) * size),
        ("row", b"b" + key, bytes([number % 251])),
        ("latest", b"number", key),
        ("row", b"b" + max(0, number - 3).to_bytes(4, "big"), None),
    ]


def model(commits: Sequence[Sequence[Write]]) -> Rows:
    """What a store holds after these."""
    rows: Rows = {}
    for each in commits:
        applied(rows, list(each))
    return {table: held for table, held in rows.items() if held}


def version(path: Path) -> int:
    """The schema version of a file."""
    with closing(SqliteStore(path)) as store:
        found: int = store._reader.execute("PRAGMA user_version").fetchone()[0]
    return found


class Crash(BaseException):
    """The process ends here."""


class Steps:
    """Ends a process before or after the step of that number: each write, sync and clearing of the log, and each commit
    of SQLite."""

    def __init__(self, patch: pytest.MonkeyPatch, last: int) -> None:
        self.count, self.last = 0, last
        for owner, name in ((LogFile, "write"), (LogFile, "sync"), (LogFile, "clear"), (SqliteStore, "commit")):
            patch.setattr(owner, name, self._counted(getattr(owner, name)))

    def _counted(self, step: Callable[..., None]) -> Callable[..., None]:
        def run(*arguments: object) -> None:
            self._pass()
            step(*arguments)
            self._pass()

        return run

    def _pass(self) -> None:
        self.count += 1
        if self.count >= self.last:
            raise Crash


def run(path: Path, begun: list[list[Write]], done: list[list[Write]], opened: list[LoggedStore]) -> None:
    """Some commits, small and large, through a log that is filled again, and an end."""
    store = LoggedStore(path)
    opened.append(store)
    for number in range(14):
        commit = some(number, MAX_RECORD_BYTES if number == 9 else MAX_RECORD_BYTES // 2 if number > 2 else 900)
        begun.append(commit)
        store.write(commit)
        done.append(commit)
    store.close()


def abandon(opened: list[LoggedStore]) -> None:
    """Let go of what a process that ended held."""
    for store in opened:
        store._below.close()
        if store._file is not None and not store._closed:
            store._file.close()


def test_a_crash_at_any_step_loses_nothing_and_tears_nothing(tmp_path: Path) -> None:
    last = 0
    while True:
        last += 1
        folder = tmp_path / str(last)
        folder.mkdir()
        begun, done, opened = list[list[Write]](), list[list[Write]](), list[LoggedStore]()
        with pytest.MonkeyPatch.context() as patch:
            Steps(patch, last)
            try:
                run(folder / "store", begun, done, opened)
            except Crash:
                ended = False
            else:
                ended = True
        shutil.copytree(folder, tmp_path / "found")
        abandon(opened)
        for _ in range(2):  # and once more, as it was left open by a crash right after
            with closing(LoggedStore(tmp_path / "found" / "store")) as store:
                found = everything(store)
                assert found in (model(done), model(begun)), f"after step {last}"
                assert store.check() == []
        shutil.rmtree(tmp_path / "found")
        shutil.rmtree(folder)
        if ended:
            break
    assert last > 60, "there were steps"
    assert done == begun


def test_a_store_of_before_opens_as_it_is_and_a_closed_one_opens_without_a_log(tmp_path: Path) -> None:
    path = tmp_path / "store"
    with closing(SqliteStore(path)) as store:
        store.write(some(1))
    with closing(LoggedStore(path)) as store:
        store.write(some(2))
        assert everything(store) == model([some(1), some(2)])
        assert version(path) == LOGGED_VERSION, "a release that knows of no log must not go on from here"
    assert log_path(path).stat().st_size == 0 and version(path) == SCHEMA_VERSION
    log_path(path).unlink()
    with closing(SqliteStore(path)) as store:
        assert everything(store) == model([some(1), some(2)])
        store.write(some(3))
    with closing(LoggedStore(path)) as store:
        assert everything(store) == model([some(1), some(2), some(3)])


def test_nothing_is_written_by_opening_and_reading(tmp_path: Path) -> None:
    path = tmp_path / "store"
    left_open(path, 5)

    def files() -> dict[str, bytes]:
        return {each.name: each.read_bytes() for each in tmp_path.iterdir() if not each.name.endswith("-shm")}

    before = files()
    store = LoggedStore(path)
    assert everything(store) == model([some(number) for number in range(5)])
    assert files() == before
    store.close()


def left_open(path: Path, commits: int) -> None:
    """A store as a crash leaves it."""
    work = path.with_name("work")
    work.mkdir()
    with closing(LoggedStore(work / path.name)) as store:
        for number in range(commits):
            store.write(some(number))
        for each in work.iterdir():
            if not each.name.endswith("-shm"):
                shutil.copy(each, path.with_name(each.name))
    shutil.rmtree(work)


def test_files_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    old, new, other = (tmp_path / name for name in ("old", "new", "other"))
    for folder, commits in ((old, 3), (new, 3), (other, 4)):
        folder.mkdir()
        left_open(folder / "store", commits)
    log_path(new / "store").write_bytes(log_path(other / "store").read_bytes())
    with pytest.raises(StoreDamaged, match="that of another store"):
        LoggedStore(new / "store")
    log_path(new / "store").unlink()
    with pytest.raises(StoreDamaged, match="it is gone"):
        LoggedStore(new / "store")
    # A copy of SQLite's file from before, beside the log that it has now.
    with closing(LoggedStore(old / "store")) as store:
        store.write(some(3))
        for each in ("store", "store-wal"):
            shutil.copy(old / each, old / f"kept-{each}")
        store.write(some(4, MAX_RECORD_BYTES))
        store.write(some(5))
        log = log_path(old / "store").read_bytes()
    for each in ("store", "store-wal"):
        (old / f"kept-{each}").replace(old / each)
    log_path(old / "store").write_bytes(log)
    with pytest.raises(StoreDamaged, match="commits from 1 to 5 are missing"):
        LoggedStore(old / "store")


def test_another_process_reads_and_copies_but_does_not_write(tmp_path: Path) -> None:
    path = tmp_path / "store"
    with closing(LoggedStore(path)) as store:
        for number in range(3):
            store.write(some(number))
        with closing(LoggedStore(path)) as second:
            assert second.get(LOG_TABLE, b"identity") and "log" not in second.tables()
            with pytest.raises(StoreError, match="another process uses the store: stop that one first"):
                second.write(some(9))
            second.backup(tmp_path / "copy")
        store.write(some(3))
    with closing(open_store(f"sqlite:{tmp_path / 'copy'}")) as copy:
        assert everything(copy) == model([some(number) for number in range(3)])
    assert version(tmp_path / "copy") == SCHEMA_VERSION
    with closing(LoggedStore(path)) as store:
        assert everything(store) == model([some(number) for number in range(4)])


def test_a_copy_of_a_store_that_is_written_holds_all_that_was_acknowledged_before(tmp_path: Path) -> None:
    with subprocess.Popen(command(tmp_path / "store"), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        sure = 0
        for copy in range(4):
            for _ in range(60):
                sure = int(process.stdout.readline())
            with closing(LoggedStore(tmp_path / "store")) as store:
                store.backup(tmp_path / str(copy))
            check(tmp_path / str(copy), sure)
        process.kill()
    check(tmp_path / "store", sure)


def test_where_there_is_no_room_for_a_log_commits_go_to_sqlite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(file: LogFile, offset: int, data: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(LogFile, "write", full)
        with closing(LoggedStore(tmp_path / "store")) as store:
            store.write(some(1))
            store.write(some(2))
            with closing(SqliteStore(tmp_path / "store")) as below:
                assert everything(below) == everything(store) == model([some(1), some(2)])
            with closing(LoggedStore(tmp_path / "store")) as second, pytest.raises(StoreError, match="another process"):
                second.write(some(3))
    assert log_path(tmp_path / "store").stat().st_size == 0


def test_a_log_that_is_full_on_a_full_disk_says_so_and_goes_on_with_room(tmp_path: Path) -> None:
    with closing(LoggedStore(tmp_path / "store")) as store:
        store.write(some(0))
        [pages] = store._below._writer.execute("PRAGMA page_count").fetchone()
        store._below._writer.execute(f"PRAGMA max_page_count={pages + 10}")
        commits = [some(0)]
        with pytest.raises(StoreFull):
            for number in range(1, LOG_BYTES):
                store.write(some(number, 30_000))
                commits.append(some(number, 30_000))
        assert len(commits) > 10, "the chain's own small writes go on until the log is full"
        assert everything(store) == model(commits)
        store._below._writer.execute("PRAGMA max_page_count=200000")
        store.write(some(len(commits)))
        commits.append(some(len(commits)))
        assert everything(store) == model(commits)
    with closing(LoggedStore(tmp_path / "store")) as store:
        assert everything(store) == model(commits)


def test_an_end_on_a_full_disk_leaves_the_log(tmp_path: Path) -> None:
    store = LoggedStore(tmp_path / "store")
    store.write(some(0))
    [pages] = store._below._writer.execute("PRAGMA page_count").fetchone()
    store._below._writer.execute(f"PRAGMA max_page_count={pages}")
    store.write(some(1, 30_000))
    store.close()
    assert version(tmp_path / "store") == LOGGED_VERSION
    with closing(LoggedStore(tmp_path / "store")) as store:
        assert everything(store) == model([some(0), some(1, 30_000)])


def test_what_is_written_once_is_seen_by_all(tmp_path: Path) -> None:
    with closing(LoggedStore(tmp_path / "store")) as store:
        store.write([("home", b"mark", b"first")])
        assert store.write_once("home", b"mark", b"second") == b"first"
        store.write([("home", b"mark", None)])
        assert store.write_once("home", b"mark", b"third") == b"third"
        with closing(LoggedStore(tmp_path / "store")) as second:
            assert second.write_once("home", b"mark", b"fourth") == b"third"


WRITER = """
import sys
from pathlib import Path
from lucid.storage import logged
from tests.storage.test_logged import some

logged.WORTH_COMMITS = 0
store = logged.LoggedStore(Path(sys.argv[1]))
for number in range(1_000_000):
    store.write(some(number, 70_000 if number % 50 == 49 else 900))
    print(number, flush=True)
"""


def command(path: Path) -> list[str]:
    """A process that writes forever and says which commits are durable."""
    return [sys.executable, "-c", WRITER, str(path)]


def check(path: Path, sure: int) -> None:
    """A store that such a process wrote holds all commits up to one, and that is not before `sure`."""
    with closing(LoggedStore(path)) as store:
        number = int.from_bytes(store.get("latest", b"number") or b"", "big")
        assert number >= sure
        assert everything(store) == model(
            [some(each, 70_000 if each % 50 == 49 else 900) for each in range(number + 1)]
        )
        assert store.check() == []


@pytest.mark.parametrize("lines", [3, 200])
def test_what_was_acknowledged_survives_kill_9(tmp_path: Path, lines: int) -> None:
    with subprocess.Popen(command(tmp_path / "store"), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for _ in range(lines):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        rest = process.stdout.read().splitlines(keepends=True)
    check(tmp_path / "store", lines - 1 + sum(line.endswith("\n") for line in rest))
