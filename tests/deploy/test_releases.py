"""Releases on a host that is a folder here: an upgrade, a failed one, an interrupted one, and the ways back."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from lucid.deploy.deployment import Deployment
from lucid.deploy.settings import STORE_PASSWORDS
from tests.deploy.fakehost import FakeHost

TOOLS = "sh setsid env sed grep tr ls cat mkdir mv rm rmdir cp tar gzip head wc sort awk date tail"


def upgrade(pi: FakeHost, folder: Path, name: str, *words: str) -> int:
    return pi.lucid("upgrade", "--images", str(folder / f"{name}.tar"), "--try", "health", *words)


def test_a_first_release_has_none_before(pi: FakeHost, tmp_path: Path) -> None:
    assert pi.running() == {"one"}
    assert not (tmp_path / "node.key.unused").exists()
    assert (pi.volume("key") / "node.key.unused").exists()
    assert pi.lucid("rollback") == 2
    assert pi.lucid("rollback", "--dry-run") == 2


def test_rollback_swaps_images_and_settings_together(pi: FakeHost, tmp_path: Path) -> None:
    assert upgrade(pi, tmp_path, "two", "--set", "LUCID_MEMORY=300m") == 0
    assert (pi.running(), pi.setting("LUCID_MEMORY")) == ({"two"}, "300m")
    token = pi.setting("LUCID_TOKEN")
    assert pi.lucid("rollback") == 0
    assert (pi.running(), pi.setting("LUCID_MEMORY")) == ({"one"}, "192m")
    assert pi.lucid("rollback") == 0
    assert (pi.running(), pi.setting("LUCID_MEMORY")) == ({"two"}, "300m")
    assert pi.setting("LUCID_TOKEN") == token


def test_a_failed_upgrade_leaves_the_release_before_as_it_was(pi: FakeHost, tmp_path: Path) -> None:
    assert upgrade(pi, tmp_path, "two") == 0
    assert upgrade(pi, tmp_path, "bad", "--set", "LUCID_MEMORY=300m") == 1
    assert (pi.running(), pi.setting("LUCID_MEMORY")) == ({"two"}, "192m")
    assert pi.images() == 8, "the images that failed are gone"
    assert pi.lucid("rollback") == 0
    assert pi.running() == {"one"}


def test_only_two_releases_are_kept(pi: FakeHost, tmp_path: Path) -> None:
    for name in ("two", "three", "one"):
        assert upgrade(pi, tmp_path, name) == 0
        assert pi.images() == 8
    assert sorted(path.name for path in (pi.home / "lucid").iterdir()) == [".env", "compose.yaml", "previous"]


def test_the_same_again_does_not_lose_the_release_before(pi: FakeHost, tmp_path: Path) -> None:
    assert upgrade(pi, tmp_path, "two") == 0
    assert upgrade(pi, tmp_path, "two") == 0
    assert pi.lucid("rollback") == 0
    assert pi.running() == {"one"}


def test_a_rollback_to_what_does_not_work_comes_back(pi: FakeHost, tmp_path: Path) -> None:
    assert upgrade(pi, tmp_path, "two") == 0
    pi.spoil("one")
    assert pi.lucid("rollback") == 1
    assert pi.running() == {"two"}


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
    assert upgrade(pi, tmp_path, "two") == 0
    pi.break_at(calls)
    assert upgrade(pi, tmp_path, "three", "--set", "LUCID_MEMORY=300m") in (0, 2, 4)
    pi.repair()
    assert upgrade(pi, tmp_path, "three", "--set", "LUCID_MEMORY=300m") == 0
    assert (pi.running(), pi.setting("LUCID_MEMORY")) == ({"three"}, "300m")
    assert pi.images() == 8
    assert pi.lucid("rollback") == 0
    assert (pi.running(), pi.setting("LUCID_MEMORY")) == ({"two"}, "192m")


@pytest.mark.parametrize("calls", CALLS)
def test_an_upgrade_that_was_cut_short_anywhere_is_undone(pi: FakeHost, tmp_path: Path, calls: int) -> None:
    assert upgrade(pi, tmp_path, "two") == 0
    pi.break_at(calls)
    done = upgrade(pi, tmp_path, "three", "--set", "LUCID_MEMORY=300m") == 0
    pi.repair()
    unfinished = (pi.home / "lucid/before").exists()
    assert pi.lucid("rollback") == 0
    # Before anything was recorded, and after all was accepted, it is the release before that comes.
    expected = "two" if unfinished or done or pi.tagged("previous-arm64") == {"three"} else "one"
    assert pi.running() == {expected}
    assert pi.setting("LUCID_MEMORY") == "192m"


@pytest.mark.parametrize("calls", FEW)
def test_a_rollback_that_was_cut_short_anywhere_goes_on(pi: FakeHost, tmp_path: Path, calls: int) -> None:
    assert upgrade(pi, tmp_path, "two", "--set", "LUCID_MEMORY=300m") == 0
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


def test_a_first_install_that_fails_is_left_as_it_is(bare: FakeHost, tmp_path: Path) -> None:
    assert bare.install(tmp_path, name="bad") == 3
    assert bare.running() == {"bad"}
    assert bare.lucid("status") == 20
    assert bare.install(tmp_path) == 0
    assert bare.lucid("rollback") == 2


def test_a_return_that_fails_too_has_a_status_of_its_own(
    pi: FakeHost, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert upgrade(pi, tmp_path, "two") == 0
    pi.spoil("two")
    assert upgrade(pi, tmp_path, "bad") == 4
    assert "rollback pi tries it again" in capsys.readouterr().err
    pi.mend("two")
    assert pi.lucid("rollback") == 0
    assert pi.running() == {"two"}
    assert pi.lucid("rollback") == 0
    assert pi.running() == {"one"}


def test_ctrl_c_says_in_what_state_the_host_is(
    pi: FakeHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Deployment, "await_healthy", interrupt)
        assert upgrade(pi, tmp_path, "two") == 130
    assert "lucid deploy rollback pi" in capsys.readouterr().err
    assert pi.lucid("status") == 0
    assert "not finished" in capsys.readouterr().err
    assert pi.lucid("rollback") == 0
    assert pi.running() == {"one"}


def test_a_fault_of_ours_goes_back_too(pi: FakeHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Deployment.await_healthy

    def fail_once(deployment: Deployment) -> None:
        monkeypatch.setattr(Deployment, "await_healthy", real)
        raise ValueError("a bug")

    monkeypatch.setattr(Deployment, "await_healthy", fail_once)
    assert upgrade(pi, tmp_path, "two") == 1
    assert pi.running() == {"one"}


def test_a_line_that_is_lost_at_the_very_end_takes_nothing_down(
    pi: FakeHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = Deployment.await_healthy

    def cut(deployment: Deployment) -> None:
        real(deployment)
        pi.cut_line()

    with monkeypatch.context() as patched:
        patched.setattr(Deployment, "await_healthy", cut)
        assert upgrade(pi, tmp_path, "two") == 0
    assert "once more tidies up" in capsys.readouterr().err
    pi.repair()
    assert upgrade(pi, tmp_path, "two") == 0
    assert pi.lucid("rollback") == 0
    assert pi.running() == {"one"}


def test_who_reads_no_more_does_not_stop_an_upgrade(
    pi: FakeHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as nobody, monkeypatch.context() as patched:
        patched.setattr("sys.stderr", nobody)
        assert upgrade(pi, tmp_path, "two") == 0
    assert pi.running() == {"two"}
    assert not (pi.home / "lucid/before").exists()


def test_a_sick_host_is_looked_after_still(pi: FakeHost, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert upgrade(pi, tmp_path, "two") == 0
    pi.set_disk(500_000)
    capsys.readouterr()
    assert pi.lucid("status") == 0
    assert "free disk" in capsys.readouterr().err
    assert pi.lucid("token") == 0
    assert capsys.readouterr().out.strip() == pi.setting("LUCID_API_TOKENS")
    assert upgrade(pi, tmp_path, "three") == 2
    assert pi.lucid("rollback") == 0
    assert pi.running() == {"one"}


def test_a_lost_env_is_one_sentence(pi: FakeHost, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (pi.home / "lucid/.env").unlink()
    capsys.readouterr()
    assert pi.lucid("status") == 0
    assert upgrade(pi, tmp_path, "two") == 2
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
    assert upgrade(pi, tmp_path, "two") == 0
    made = {name: pi.setting(name) for name in STORE_PASSWORDS}
    assert len(set(made.values())) == 4 and all(len(each) == 32 for each in made.values())
    assert path.stat().st_mode & 0o777 == 0o600
    assert upgrade(pi, tmp_path, "three") == 0
    assert {name: pi.setting(name) for name in STORE_PASSWORDS} == made
    told = "\n".join(pi.calls()) + (pi.state / "commands").read_text()
    assert not any(each in told for each in made.values()), "they are on no command line"
