"""What every service does: it starts alone in its folder, or says why not, and leaves nothing behind then."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lucid.chain.errors import GenesisError
from lucid.services.devnet import Devnet
from lucid.services.devnode import SERVICES
from lucid.services.process import service
from lucid.services.process.config import ConfigError


def test_a_folder_is_one_process_s_alone_while_it_runs(tmp_path: Path) -> None:
    held = service._locked(tmp_path / "engine.lock")
    with pytest.raises(ConfigError, match=r"data_dir: another process holds .*engine\.lock"):
        service._locked(tmp_path / "engine.lock")
    service._locked(tmp_path / "data.lock").close()
    held.close()
    service._locked(tmp_path / "engine.lock").close()


def test_a_port_that_is_taken_names_the_settings_that_say_so() -> None:
    with service.open_port("127.0.0.1", 0, "bind and port") as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"bind and port: .* 127\.0\.0\.1:{port}: Address already"):
            service.open_port("127.0.0.1", port, "bind and port")
    with pytest.raises(ConfigError, match=r"peer_bind: it cannot listen at 192\.0\.2\.1"):
        service.open_port("192.0.2.1", 0, "peer_bind")


@pytest.mark.parametrize("data", [None, b"\xff", b"", b"[", b"interval = 1"])
def test_a_genesis_that_cannot_be_read_is_named(tmp_path: Path, data: bytes | None) -> None:
    path = tmp_path / "genesis.toml"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(GenesisError) as caught:
        service.read_genesis(path)
    assert caught.value.detail.isprintable() and caught.value.detail


@pytest.mark.parametrize(
    ("which", "new"),
    [("services.anchoring", False), ("services.data", False), ("services.data", True), ("node", False), ("node", True)],
)
def test_a_start_that_is_refused_leaves_no_store_behind(tmp_path: Path, which: str, new: bool) -> None:
    node = Devnet(tmp_path, 1, 1_000).nodes[0]
    if not new:
        for name in SERVICES:
            (node.folder / f"{name}.home").write_text("ab" * 16 + "\n")
    shelf = node.folder / "chunks" / "ab"
    shelf.mkdir(parents=True)
    (shelf / ("ab" * 32)).write_bytes(bytes(2_000))
    command = ["-m", "lucid", "node"] if which == "node" else ["-m", f"lucid.{which}"]
    done = subprocess.run(
        [sys.executable, *command, "--config", str(node.folder / "node.toml")],
        env={**os.environ, "LUCID_STORE": f"sqlite:{node.folder}/typo-{{service}}.sqlite"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 2 and "it is empty, but the folder" in done.stderr, done.stderr
    # A new folder has marks of the stores that were begun before, so that they stay.
    kept = {f"typo-{name}.sqlite" for name in SERVICES if name != "data"} if new and which == "node" else set()
    assert {path.name.removesuffix("-log") for path in node.folder.glob("typo*")} == kept
