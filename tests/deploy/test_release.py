"""Releases on a host that is a folder here: an upgrade, a failed one, an interrupted one, and the ways back."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from lucid.deploy.settings import STORE_PASSWORDS
from tests.deploy.fakehost import FakeHost

TOOLS = "sh setsid env sed grep tr ls cat mkdir mv rm rmdir cp tar gzip head wc sort awk date tail"


def test_a_first_release_has_none_before(pi: FakeHost, tmp_path: Path) -> None:
    assert pi.running() == {"one"}
    assert not (tmp_path / "node.key.unused").exists()
    assert (pi.volume("key") / "node.key.unused").exists()
    assert pi.lucid("rollback") == 2
    assert pi.lucid("rollback", "--dry-run") == 2


def test_rollback_swaps_images_and_settings_together(pi: FakeHost, tmp_path: Path) -> None:
    assert pi.upgrade(tmp_path, "two", "--set", "LUCID_MEMORY=300m") == 0
    assert (pi.running(), pi.setting("LUCID_MEMORY")) == ({"two"}, "300m")
    token = pi.setting("LUCID_TOKEN")
    assert pi.lucid("rollback") == 0
    assert (pi.running(), pi.setting("LUCID_MEMORY")) == ({"one"}, "192m")
    assert pi.lucid("rollback") == 0
    assert (pi.running(), pi.setting("LUCID_MEMORY")) == ({"two"}, "300m")
    assert pi.setting("LUCID_TOKEN") == token


def test_only_two_releases_are_kept(pi: FakeHost, tmp_path: Path) -> None:
    for name in ("two", "three", "one"):
        assert pi.upgrade(tmp_path, name) == 0
        assert pi.images() == 8
    assert sorted(path.name for path in (pi.home / "lucid").iterdir()) == [".env", "compose.yaml", "previous"]


def test_the_same_again_does_not_lose_the_release_before(pi: FakeHost, tmp_path: Path) -> None:
    assert pi.upgrade(tmp_path, "two") == 0
    assert pi.upgrade(tmp_path, "two") == 0
    assert pi.lucid("rollback") == 0
    assert pi.running() == {"one"}


def test_settings_alone_need_no_docker_here(
    pi: FakeHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", _without_docker(tmp_path))
    assert pi.lucid("upgrade", "--set", "LUCID_MEMORY=300m", "--try", "health") == 2
    assert "--keep-images" in capsys.readouterr().err
    assert pi.lucid("upgrade", "--keep-images", "--set", "LUCID_MEMORY=300m", "--try", "health") == 0
    assert (pi.running(), pi.setting("LUCID_MEMORY")) == ({"one"}, "300m")
    assert pi.lucid("rollback") == 0
    assert (pi.running(), pi.setting("LUCID_MEMORY")) == ({"one"}, "192m")


def _without_docker(folder: Path) -> str:
    """A PATH with all that the fake host needs and no docker."""
    tools = folder / "tools"
    tools.mkdir()
    for name in TOOLS.split():
        (tools / name).symlink_to(str(shutil.which(name)))
    return str(tools)


CALLS = (14, 28, 40)
FEW = (6, 20)
"""From the first look to the last tidying: an upgrade makes about fifty calls. These stand for them."""


@pytest.mark.parametrize("calls", CALLS)
def test_an_upgrade_that_was_cut_short_anywhere_is_repeated(pi: FakeHost, tmp_path: Path, calls: int) -> None:
    assert pi.upgrade(tmp_path, "two") == 0
    pi.break_at(calls)
    assert pi.upgrade(tmp_path, "three", "--set", "LUCID_MEMORY=300m") in (0, 2, 4)
    pi.repair()
    assert pi.upgrade(tmp_path, "three", "--set", "LUCID_MEMORY=300m") == 0
    assert (pi.running(), pi.setting("LUCID_MEMORY")) == ({"three"}, "300m")
    assert pi.images() == 8
    assert pi.lucid("rollback") == 0
    assert (pi.running(), pi.setting("LUCID_MEMORY")) == ({"two"}, "192m")


@pytest.mark.parametrize("calls", CALLS)
def test_an_upgrade_that_was_cut_short_anywhere_is_undone(pi: FakeHost, tmp_path: Path, calls: int) -> None:
    assert pi.upgrade(tmp_path, "two") == 0
    pi.break_at(calls)
    done = pi.upgrade(tmp_path, "three", "--set", "LUCID_MEMORY=300m") == 0
    pi.repair()
    unfinished = (pi.home / "lucid/before").exists()
    assert pi.lucid("rollback") == 0
    # Before anything was recorded, and after all was accepted, it is the release before that comes.
    expected = "two" if unfinished or done or pi.tagged("previous-arm64") == {"three"} else "one"
    assert pi.running() == {expected}
    assert pi.setting("LUCID_MEMORY") == "192m"


@pytest.mark.parametrize("calls", FEW)
def test_a_rollback_that_was_cut_short_anywhere_goes_on(pi: FakeHost, tmp_path: Path, calls: int) -> None:
    assert pi.upgrade(tmp_path, "two", "--set", "LUCID_MEMORY=300m") == 0
    pi.break_at(calls)
    assert pi.lucid("rollback") in (0, 2, 4)
    if pi.repair() and ((pi.home / "lucid/before").exists() or pi.running() == {"two"}):
        assert pi.lucid("rollback") == 0
    assert (pi.running(), pi.setting("LUCID_MEMORY")) == ({"one"}, "192m")
    assert pi.lucid("rollback") == 0
    assert (pi.running(), pi.setting("LUCID_MEMORY")) == ({"two"}, "300m")


@pytest.mark.parametrize("calls", FEW)
def test_a_first_install_that_was_cut_short_is_no_release_before(bare: FakeHost, tmp_path: Path, calls: int) -> None:
    bare.break_at(calls)
    assert bare.install(tmp_path) in (0, 2, 4)
    bare.repair()
    assert bare.install(tmp_path) == 0
    assert bare.running() == {"one"}
    assert (bare.volume("key") / "node.key.unused").exists()
    assert not (tmp_path / "node.key.unused").exists()
    assert bare.lucid("rollback") == 2


def test_a_sick_host_is_looked_after_still(pi: FakeHost, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert pi.upgrade(tmp_path, "two") == 0
    pi.set_disk(500_000)
    capsys.readouterr()
    assert pi.lucid("status") == 0
    assert "free disk" in capsys.readouterr().err
    assert pi.lucid("token") == 0
    assert capsys.readouterr().out.strip() == pi.setting("LUCID_API_TOKENS")
    assert pi.upgrade(tmp_path, "three") == 2
    assert pi.lucid("rollback") == 0
    assert pi.running() == {"one"}


def test_a_lost_env_is_one_sentence(pi: FakeHost, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (pi.home / "lucid/.env").unlink()
    capsys.readouterr()
    assert pi.lucid("status") == 0
    assert pi.upgrade(tmp_path, "two") == 2
    assert ".env is gone" in capsys.readouterr().err
    assert pi.install(tmp_path) == 0
    assert pi.setting("LUCID_TOKEN")


def test_remove_takes_the_node_away_and_keeps_its_data_unless_told(pi: FakeHost, tmp_path: Path) -> None:
    assert pi.lucid("remove", "--dry-run") == 0
    assert pi.running() == {"one"}
    assert pi.lucid("remove") == 0
    assert (pi.running(), pi.images()) == (set(), 0)
    assert (pi.volume("key") / "node.key").exists()
    assert pi.install(tmp_path) == 0
    assert pi.lucid("remove", "--with-data") == 0
    assert not any((pi.state / "volumes").iterdir())


def test_a_node_of_before_gets_passwords_for_its_store_once_and_nobody_sees_them(pi: FakeHost, tmp_path: Path) -> None:
    path = pi.home / "lucid" / ".env"
    lines = [line for line in path.read_text().splitlines(keepends=True) if "STORE_PASSWORD" not in line]
    path.write_text("".join(lines))
    assert pi.upgrade(tmp_path, "two") == 0
    made = {name: pi.setting(name) for name in STORE_PASSWORDS}
    assert len(set(made.values())) == 4 and all(len(each) == 32 for each in made.values())
    assert path.stat().st_mode & 0o777 == 0o600
    assert pi.upgrade(tmp_path, "three") == 0
    assert {name: pi.setting(name) for name in STORE_PASSWORDS} == made
    told = "\n".join(pi.calls()) + (pi.state / "commands").read_text()
    assert not any(each in told for each in made.values()), "they are on no command line"
