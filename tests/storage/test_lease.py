"""Two copies of one data folder have one identity: of two processes that use their store, one is refused."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
import trio

from lucid.cli.main import main
from lucid.services.devnet import Devnet
from lucid.services.devnode import SERVICES
from lucid.services.process.ports import free_ports
from lucid.storage import lease
from lucid.storage.durable import DurableStore
from lucid.storage.errors import StoreError, StoreOther
from lucid.storage.interface import Store
from lucid.storage.opening import open_store

if TYPE_CHECKING:
    from lucid.services.process.mongod import Mongod

ROW = ("table", b"key", b"value")
FOREVER_S = 3_600.0


@pytest.fixture
def url(mongod: Mongod) -> str:
    """A database that nobody has used."""
    return mongod.url()


@pytest.fixture
def locks(tmp_path: Path) -> list[Path]:
    """The locks of a data folder and of a copy of it."""
    found = [tmp_path / name / "engine.lock" for name in ("folder", "copy")]
    for path in found:
        path.parent.mkdir()
        path.touch()
    return found


@contextmanager
def beating(store: Store) -> Iterator[None]:
    """A process that lives: it looks at its store again and again."""
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(0.1):
            store.look()

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def holding(url: str, lock: Path) -> Store:
    """A store that this holds."""
    store = open_store(url)
    try:
        store.hold(lock)
    except BaseException:
        store.close()
        raise
    return store


def test_a_copy_is_refused_while_the_original_lives(
    url: str, locks: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "LEASE_S", FOREVER_S)
    store = holding(url, locks[0])
    with beating(store), pytest.raises(StoreOther, match="another process uses it") as refused:
        holding(url, locks[1])
    assert "\n" not in str(refused.value)
    store.write([ROW])
    store.close()


def test_what_was_killed_begins_again_at_once(url: str, locks: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "LEASE_S", FOREVER_S)
    killed = holding(url, locks[0])
    again = holding(url, locks[0])
    again.write([ROW])
    for use in (killed.look, lambda: killed.write([("table", b"other", b"")])):
        with pytest.raises(StoreOther, match="taken it over"):
            use()
    assert again.get("table", b"other") is None
    killed.close()
    again.write([ROW])
    again.close()


def test_what_ended_in_order_leaves_it_to_anyone(url: str, locks: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "LEASE_S", FOREVER_S)
    for lock in (*locks, *locks):
        store = holding(url, lock)
        store.write([ROW])
        store.close()


def test_another_folder_waits_until_it_is_sure(url: str, locks: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """After a power cut even the same folder has another name."""
    monkeypatch.setattr(lease, "LEASE_S", 0.2)
    gone = holding(url, locks[0])
    moved = holding(url, locks[1])
    with pytest.raises(StoreOther):
        gone.write([ROW])
    moved.write([ROW])
    gone.close()
    moved.close()


def test_of_two_that_begin_at_once_one_is_refused(url: str, locks: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "LEASE_S", FOREVER_S)
    outcomes: list[Store | StoreError] = []

    def begin(lock: Path) -> None:
        try:
            store = holding(url, lock)
        except StoreError as error:
            outcomes.append(error)
            return
        outcomes.append(store)
        for _ in range(1_000):
            if len(outcomes) == 2:
                return
            store.look()
            ended.wait(0.1)

    ended = threading.Event()
    threads = [threading.Thread(target=begin, args=(lock,)) for lock in locks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kept = [each for each in outcomes if not isinstance(each, StoreError)]
    for each in kept:
        each.close()
    assert len(kept) == 1 and any(isinstance(each, StoreOther) for each in outcomes), outcomes


def test_a_database_that_was_away_is_held_on(mongod: Mongod, url: str, locks: list[Path]) -> None:
    store = holding(url, locks[0])
    store.write([ROW])
    mongod.stop()
    try:
        with pytest.raises(StoreError) as away:
            store.look()
        assert not isinstance(away.value, StoreOther)
    finally:
        mongod.start()
    for _ in range(60):
        try:
            store.write([ROW])
            break
        except StoreOther:
            raise
        except StoreError:
            pass
    store.look()
    store.close()


async def test_a_service_that_lost_its_database_ends(url: str, locks: list[Path]) -> None:
    lost = holding(url, locks[0])
    with pytest.raises(ExceptionGroup) as ended:
        async with trio.open_nursery() as nursery:
            store = DurableStore(lost)
            await nursery.start(store.run)
            await store.write([ROW])
            other = await trio.to_thread.run_sync(holding, url, locks[0])
            store.put([("table", b"other", b"")])
            with trio.fail_after(60):
                await trio.sleep_forever()
    assert ended.group_contains(StoreOther)
    assert other.get("table", b"other") is None
    lost.close()
    other.close()


def test_one_file_elsewhere_is_one_process_s_too(tmp_path: Path, locks: list[Path]) -> None:
    url = f"sqlite:{tmp_path / 'elsewhere.sqlite'}"
    store = holding(url, locks[0])
    with pytest.raises(StoreOther, match="another process uses it"):
        holding(url, locks[1])
    store.close()
    holding(url, locks[1]).close()


@pytest.mark.parametrize("kind", ["sqlite", "mongo"])
def test_what_is_used_is_not_adopted(
    kind: str, url: str, locks: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = url if kind == "mongo" else f"sqlite:{tmp_path / 'store'}"
    store = holding(url, locks[0])
    with beating(store):
        assert main(["store", "adopt", url]) == 2
    said = capsys.readouterr()
    assert "another process uses it" in said.err and said.err.count("\n") == 1 and not said.out
    store.close()
    assert main(["store", "adopt", url]) == 0


def test_a_lease_names_a_folder_and_no_copy_of_it(locks: list[Path], tmp_path: Path) -> None:
    first, copy = (lease.place_of(lock) for lock in locks)
    assert first == lease.place_of(locks[0]) != copy
    shutil.copytree(locks[0].parent, tmp_path / "third")
    assert lease.place_of(tmp_path / "third" / "engine.lock") not in (first, copy)


def test_a_copied_folder_on_one_database_is_refused_and_its_owner_goes_on(mongod: Mongod, tmp_path: Path) -> None:
    """With real processes: the owner may be killed and begin again at once, the copy does not get in."""
    name = mongod.url().split("/")[-1].split("?")[0]
    store: Callable[[str], str] = lambda node: mongod.database(f"{name}-{node}-{{service}}")  # noqa: E731
    with Devnet(tmp_path / "net", 1, 1_000, store=store) as network:
        [node] = network.nodes
        copy = tmp_path / "copy"
        shutil.copytree(node.folder, copy)
        settings = (node.folder / "node.toml").read_text().replace(str(node.folder), str(copy))
        (copy / "node.toml").write_text(settings)
        [port] = free_ports(1)
        for service in SERVICES:
            command = [sys.executable, "-m", f"lucid.services.{service}", "--config", str(copy / "node.toml")]
            environment = {"LUCID_PORT": str(port), "PATH": "/usr/bin:/bin"}
            done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
            assert done.returncode == 2 and "another process uses it" in done.stderr, done.stderr
            assert done.stderr.count("\n") == 1 and "Traceback" not in done.stderr
        for service in SERVICES:
            node.processes[service].kill()
            node.processes[service].wait(60)
            node.start(service)
        network.await_healthy()
        with httpx.Client() as client:

            def height() -> int:
                return int(client.get(f"{node.url('manager')}/chain").json()["height"])

            before, deadline = height(), time.monotonic() + 60
            while height() < before + 2:
                assert time.monotonic() < deadline
                time.sleep(0.2)
