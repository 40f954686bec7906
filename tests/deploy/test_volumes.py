"""Whose node a host has: no key beside another's, no data of another's, no folder beside another's."""

from __future__ import annotations

import ast
import importlib
import io
import shutil
import tarfile
from pathlib import Path

import pytest

from lucid.deploy import volumes
from lucid.deploy.identity import read_identity
from lucid.deploy.volumes import packed
from tests.deploy.fakehost import FakeHost
from tests.deploy.identities import node

__all__ = ["node"]

Said = pytest.CaptureFixture[str]


def test_a_key_that_signed_never_gets_a_mark_that_was_left(bare: FakeHost, tmp_path: Path) -> None:
    """An install that was cut short left the mark of a key that is used by now."""
    bare.volume("key").mkdir()
    (bare.volume("key") / "node.key.unused").touch()
    (tmp_path / "node.key.unused").unlink()
    assert bare.install(tmp_path) == 0
    assert {path.name for path in bare.volume("config").iterdir()} == {"genesis.toml", "node.id"}
    assert {path.name for path in bare.volume("key").iterdir()} == {"node.key"}


def test_the_mark_goes_when_the_key_is_there_already(pi: FakeHost, tmp_path: Path) -> None:
    """The line was lost when the key was there and its mark still here."""
    (tmp_path / "node.key.unused").touch()
    assert pi.install(tmp_path) == 0
    assert not (tmp_path / "node.key.unused").exists()


def test_another_node_is_not_written_over(pi: FakeHost, tmp_path: Path, capsys: Said) -> None:
    held = (pi.volume("key") / "node.key").read_text()
    pi.new_identity(tmp_path, "other")
    words = ["--key", str(tmp_path / "other.key"), "--genesis", str(tmp_path / "genesis.toml")]
    for _ in range(2):
        # With its folder, and without it.
        assert pi.lucid("install", *words, "--images", str(tmp_path / "one.tar"), "--try", "health") == 2
        assert "the node there is" in capsys.readouterr().err
        assert (pi.volume("key") / "node.key").read_text() == held
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


def as_earlier_releases_had_it(pi: FakeHost) -> str:
    """Lay the host out as a release did whose services all read the key; returns the key."""
    config, key = pi.volume("config"), pi.volume("key")
    for name in ("node.key", "node.key.unused"):
        (key / name).rename(config / name)
    (config / "node.id").unlink()
    key.rmdir()
    compose = pi.home / "lucid" / "compose.yaml"
    compose.write_text(compose.read_text().replace('"key:/key", ', ""))
    return (config / "node.key").read_text()


def places(pi: FakeHost) -> dict[str, set[str]]:
    """What lies where."""
    return {
        name: {path.name for path in pi.volume(name).iterdir()}
        for name in ("config", "key")
        if pi.volume(name).exists()
    }


APART = {"config": {"genesis.toml", "node.id"}, "key": {"node.key", "node.key.unused"}}


def test_an_upgrade_takes_the_key_from_all_but_the_engine_and_a_rollback_brings_it_back(
    pi: FakeHost, tmp_path: Path
) -> None:
    held = as_earlier_releases_had_it(pi)
    upgrade = ["upgrade", "--images", str(tmp_path / "two.tar"), "--try", "health"]
    assert pi.lucid(*upgrade) == 0
    assert places(pi) == APART and (pi.volume("key") / "node.key").read_text() == held
    assert pi.lucid("rollback") == 0
    assert places(pi) == {"config": {*APART["config"], *APART["key"]}, "key": set()}
    assert (pi.volume("config") / "node.key").read_text() == held
    assert pi.lucid("rollback") == 0
    assert places(pi) == APART and (pi.volume("key") / "node.key").read_text() == held


def test_an_upgrade_that_fails_leaves_the_key_where_the_release_before_looks_for_it(
    pi: FakeHost, tmp_path: Path
) -> None:
    held = as_earlier_releases_had_it(pi)
    assert pi.lucid("upgrade", "--images", str(tmp_path / "bad.tar"), "--try", "health") == 1
    assert (pi.volume("config") / "node.key").read_text() == held
    assert "node.key.unused" in places(pi)["config"] and not places(pi)["key"]


@pytest.mark.parametrize("calls", range(1, 60, 6))
def test_a_power_cut_in_an_upgrade_loses_no_key(pi: FakeHost, tmp_path: Path, calls: int) -> None:
    held = as_earlier_releases_had_it(pi)
    upgrade = ["upgrade", "--images", str(tmp_path / "two.tar"), "--try", "health"]
    pi.break_at(calls)
    pi.lucid(*upgrade)
    pi.repair()
    found = [pi.volume(name) / "node.key" for name in ("config", "key")]
    assert held in [path.read_text() for path in found if path.exists()]
    assert pi.lucid(*upgrade) == 0
    assert places(pi) == APART and (pi.volume("key") / "node.key").read_text() == held


def test_the_key_goes_with_its_mark_to_its_user_alone(node: Path) -> None:
    expected = {"config": ["genesis.toml", "node.id"], "key": ["node.key.unused", "node.key"]}
    archives = packed(read_identity(node / "node.key", node / "genesis.toml"))
    assert archives.keys() == expected.keys()
    for volume, data in archives.items():
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            found = [(member.name, member.mode, member.uid, member.gid) for member in tar]
        assert found == [(name, 0o600, 65532, 65532) for name in expected[volume]]


@pytest.mark.parametrize("script", [volumes._WHO, volumes._MOVE], ids=["who", "move"])
def test_what_a_script_asks_of_a_release_is_where_it_asks_for_it(script: str) -> None:
    """It runs in the image that is there: of this release, of an earlier one, or of a later one."""
    asked = [each for each in ast.walk(ast.parse(script)) if isinstance(each, ast.ImportFrom)]
    assert any(each.module == "lucid.chain.keys" for each in asked)
    for one in asked:
        module = importlib.import_module(str(one.module))
        assert all(hasattr(module, each.name) for each in one.names), one.module
