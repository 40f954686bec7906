"""Whose node a host has: no key beside another's, no data of another's, no folder beside another's."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.deploy.fakehost import FakeHost

Said = pytest.CaptureFixture[str]


def test_a_key_that_signed_never_gets_a_mark_that_was_left(bare: FakeHost, tmp_path: Path) -> None:
    """An install that was cut short left the mark of a key that is used by now."""
    bare.volume("config").mkdir()
    (bare.volume("config") / "node.key.unused").touch()
    (tmp_path / "node.key.unused").unlink()
    assert bare.install(tmp_path) == 0
    assert {path.name for path in bare.volume("config").iterdir()} == {"genesis.toml", "node.id", "node.key"}


def test_the_mark_goes_when_the_key_is_there_already(pi: FakeHost, tmp_path: Path) -> None:
    """The line was lost when the key was there and its mark still here."""
    (tmp_path / "node.key.unused").touch()
    assert pi.install(tmp_path) == 0
    assert not (tmp_path / "node.key.unused").exists()


def test_another_node_is_not_written_over(pi: FakeHost, tmp_path: Path, capsys: Said) -> None:
    held = (pi.volume("config") / "node.key").read_text()
    pi.new_identity(tmp_path, "other")
    words = ["--key", str(tmp_path / "other.key"), "--genesis", str(tmp_path / "genesis.toml")]
    for _ in range(2):
        # With its folder, and without it.
        assert pi.lucid("install", *words, "--images", str(tmp_path / "one.tar"), "--try", "health") == 2
        assert "the node there is" in capsys.readouterr().err
        assert (pi.volume("config") / "node.key").read_text() == held
        shutil.rmtree(pi.home / "lucid", ignore_errors=True)
    assert (tmp_path / "other.key.unused").exists()


def test_another_chain_is_refused(pi: FakeHost, tmp_path: Path, capsys: Said) -> None:
    pi.new_identity(tmp_path, "other")
    words = ["--key", str(tmp_path / "node.key"), "--genesis", str(tmp_path / "other.toml")]
    assert pi.lucid("install", *words, "--images", str(tmp_path / "one.tar")) == 2
    assert "is another's" in capsys.readouterr().err


def test_another_folder_is_refused(pi: FakeHost, tmp_path: Path, capsys: Said) -> None:
    assert pi.install(tmp_path, "--dir", "elsewhere") == 2
    assert f"belongs to {pi.home}/lucid" in capsys.readouterr().err
    shutil.rmtree(pi.state / "containers")
    (pi.state / "containers").mkdir()
    assert pi.install(tmp_path, "--dir", "elsewhere") == 2
    assert pi.lucid("status", "--dir", str(pi.home / "lucid")) == 20


def test_files_that_are_no_key_and_no_genesis_do_not_get_there(bare: FakeHost, tmp_path: Path) -> None:
    (tmp_path / "genesis.toml").write_text("nothing = 1\n")
    assert bare.install(tmp_path, "--dry-run") == 2
    assert not bare.volume("config").exists()


def test_a_first_install_needs_key_and_genesis(bare: FakeHost, tmp_path: Path, capsys: Said) -> None:
    assert bare.lucid("install", "--images", str(tmp_path / "one.tar")) == 2
    assert "--genesis and its --key" in capsys.readouterr().err
