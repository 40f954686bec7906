"""A key and a chain's document are looked at before they go to a host."""

from __future__ import annotations

from pathlib import Path

import pytest

from lucid.deploy.host import DeployError
from lucid.deploy.identity import read_identity
from tests.deploy.fakehost import FakeHost
from tests.deploy.identities import node

__all__ = ["node"]
Said = pytest.CaptureFixture[str]


def test_files_that_are_no_key_and_no_genesis_do_not_get_there(bare: FakeHost, tmp_path: Path) -> None:
    (tmp_path / "genesis.toml").write_text("nothing = 1\n")
    assert bare.install(tmp_path, "--dry-run") == 2
    assert not bare.volume("config").exists()


def test_a_first_install_needs_key_and_genesis(bare: FakeHost, tmp_path: Path, capsys: Said) -> None:
    assert bare.lucid("install", "--images", str(tmp_path / "one.tar")) == 2
    assert "--genesis and its --key" in capsys.readouterr().err


def test_key_and_genesis_are_looked_at_before_they_go(node: Path) -> None:
    key, genesis = node / "node.key", node / "genesis.toml"
    assert read_identity(key, genesis).founder
    assert not read_identity(key, node.parent / "other/genesis.toml").founder
    for wrong_key, wrong_genesis, said in [
        (genesis, genesis, "chmod 600"),
        (node / "node.key.unused", genesis, "node.key.unused"),
        (key, key, "not a genesis document"),
        (key, node / "nothing", "there is no file"),
    ]:
        with pytest.raises(DeployError, match=said):
            read_identity(wrong_key, wrong_genesis)
