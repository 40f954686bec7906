"""What came so far is kept beside the files, verified, and gone on with; whatever became of it is noticed."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.notary import CRYPTO, SESSION
from lucid.chain.manifests import check_manifest
from lucid.client.errors import BundleError
from lucid.client.partial import PartialFile
from tests.client.bench import NET, PARTIAL, Bench, bench
from tests.client.lying import Answer

__all__ = ["bench"]


def test_a_chunk_that_does_not_come_leaves_no_file_and_the_rest_is_gone_on_with(bench: Bench) -> None:
    files = {"a": bytes(500), "d/b": bytes(range(250)) * 20}
    bench.hold(files)
    identity, sealed = bench.node.chunks.popitem()
    status, out, err = bench.fetch()
    assert (status, out, bench.left()) == (2, "", [PARTIAL]) and "3002" in err and "goes on" in err
    kept = bench.folder / "out" / PARTIAL
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600 and b"words" not in kept.read_bytes()

    bench.node.chunks[identity] = sealed
    bench.node.asked.clear()
    assert bench.fetch()[0] == 0 and bench.left() == ["a", "d", "d/b"], "and it goes when all is there"
    assert [path for path in bench.node.asked if "/chunks/" in path] == [f"GET /api/v1/chunks/{identity}"]
    assert {name: (bench.folder / "out" / name).read_bytes() for name in files} == files


@pytest.mark.parametrize("harm", ["rot", "cut", "longer", "nonsense"])
def test_whatever_became_of_what_was_kept_is_noticed(bench: Bench, harm: str) -> None:
    files = {"a": bytes(range(250)) * 20}
    bench.hold(files)
    identity, sealed = bench.node.chunks.popitem()
    assert bench.fetch()[0] == 2
    kept = bench.folder / "out" / PARTIAL
    data = bytearray(kept.read_bytes())
    data[1_500] ^= 1
    kept.write_bytes({"rot": bytes(data), "cut": bytes(data[:700]), "longer": bytes(data) * 3, "nonsense": b"?"}[harm])
    bench.node.chunks[identity] = sealed
    assert bench.fetch()[0] == 0 and (bench.folder / "out" / "a").read_bytes() == files["a"]
    assert bench.left() == ["a"]


def test_what_is_kept_is_no_link_no_folder_and_one_commands_at_a_time(bench: Bench) -> None:
    bench.hold({"a": b"1"})
    kept = bench.folder / "out" / PARTIAL
    kept.parent.mkdir()
    (bench.folder / "mine").write_bytes(b"mine")
    kept.symlink_to(bench.folder / "mine")
    assert bench.fetch()[0] == 2 and (bench.folder / "mine").read_bytes() == b"mine"
    kept.unlink()
    kept.mkdir()
    assert bench.fetch()[0] == 2 and kept.is_dir()
    kept.rmdir()
    with kept.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        status, _, err = bench.fetch()
        assert status == 2 and "another lucid fetch" in err and kept.exists()
    assert bench.fetch()[0] == 0


def test_a_name_that_is_taken_costs_no_second_download(bench: Bench) -> None:
    bench.hold({"a": b"1"})
    (bench.folder / "out").mkdir()
    (bench.folder / "out" / "a").write_bytes(b"mine")
    status, _, err = bench.fetch()
    assert status == 2 and "exists already" in err and bench.left() == [PARTIAL, "a"]
    (bench.folder / "out" / "a").unlink()
    bench.node.chunks.clear()
    assert bench.fetch()[0] == 0 and bench.left() == ["a"]


def test_killed_in_the_middle_it_goes_on(bench: Bench) -> None:
    files = {"a": bytes(range(250)) * 40}
    bench.hold(files)
    last, stop = list(bench.node.chunks)[-1], threading.Event()
    sealed = bench.node.chunks[last]

    def stuck() -> Iterator[bytes]:
        assert stop.wait(120)
        yield b""

    bench.node.answers[last] = Answer(body=stuck)
    words = ["fetch", str(SESSION), "--config", "node.toml", "--owner", "owner.key", "--output", "out"]
    process = subprocess.Popen([sys.executable, "-m", "lucid.cli.main", *words])
    try:
        wanted = sum(len(data) for data in bench.node.chunks.values()) - len(sealed)
        kept, deadline = bench.folder / "out" / PARTIAL, time.monotonic() + 120
        while not kept.exists() or kept.stat().st_size < wanted:
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.05)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        stop.set()
    del bench.node.answers[last]
    bench.node.asked.clear()
    assert bench.fetch()[0] == 0 and bench.left() == ["a"]
    assert [path for path in bench.node.asked if "/chunks/" in path] == [f"GET /api/v1/chunks/{last}"]
    assert (bench.folder / "out" / "a").read_bytes() == files["a"]


# -- the file itself -------------------------------------------------------------------------------------------------


CHUNKS = (b"one" * 500, b"two" * 600, b"three" * 700)


def opened(folder: Path) -> PartialFile:
    """The file of the notary's session in a folder."""
    return PartialFile(folder / "partial", check_manifest(NET.manifest(), NET.genesis.chain_id, CRYPTO).manifest)


def test_chunks_lie_in_their_order_whatever_the_order_in_which_they_come(tmp_path: Path) -> None:
    with opened(tmp_path) as partial:
        for place in (2, 0, 1):
            partial.write(place, CHUNKS[place])
        assert partial.held == {0, 1, 2} and [partial.read(place) for place in range(3)] == list(CHUNKS)
        assert partial.path.read_bytes() == b"".join(CHUNKS)
        partial.kept = True
    told: list[int] = []
    with opened(tmp_path) as again:
        again.look(told.append)
        assert again.held == {0, 1, 2} and told == [len(data) for data in CHUNKS]
    assert not (tmp_path / "partial").exists(), "it goes unless something is kept that is worth it"


def test_a_hole_is_no_chunk(tmp_path: Path) -> None:
    """The last one came first: before it are zeros, as long as the others."""
    with opened(tmp_path) as partial:
        partial.write(2, CHUNKS[2])
        partial.kept = True
    with opened(tmp_path) as again:
        again.look(lambda size: None)
        assert again.held == {2}


def test_what_changed_on_the_disk_meanwhile_is_not_handed_on(tmp_path: Path) -> None:
    with opened(tmp_path) as partial:
        partial.write(0, CHUNKS[0])
        with partial.path.open("r+b") as file:
            file.write(b"!")
        with pytest.raises(BundleError, match="changed while it was read"):
            partial.read(0)


@pytest.mark.parametrize("kind", ["fifo", "socket", "folder", "link"])
def test_what_is_no_plain_file_is_refused_and_left(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "partial"
    with socket.socket(socket.AF_UNIX) as server:
        match kind:
            case "fifo":
                os.mkfifo(path)
            case "socket":
                server.bind(str(path))
            case "folder":
                path.mkdir()
            case _:
                path.symlink_to(tmp_path / "mine")
        with pytest.raises((BundleError, OSError)) as refused:
            opened(tmp_path)
        assert "\n" not in str(refused.value)
        assert isinstance(refused.value, BundleError) or kind == "socket", "the system itself opens no socket"
    assert path.is_symlink() or path.exists()
    assert not (tmp_path / "mine").exists()


def test_two_at_once_are_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    with opened(tmp_path) as first:
        with pytest.raises(BundleError, match="another lucid fetch is at"):
            opened(tmp_path)
        first.write(0, CHUNKS[0])
        assert first.read(0) == CHUNKS[0]
    with opened(tmp_path):
        pass
