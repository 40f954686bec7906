"""A change on a host that fails or is interrupted: what ran before comes back, and each end has its status."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lucid.deploy.deployment import Deployment
from tests.deploy.conftest import _no_waiting, bare, installed, pi
from tests.deploy.fakehost import FakeHost

__all__ = ["_no_waiting", "bare", "installed", "pi"]


def test_a_failed_upgrade_leaves_the_release_before_as_it_was(pi: FakeHost, tmp_path: Path) -> None:
    assert pi.upgrade(tmp_path, "two") == 0
    assert pi.upgrade(tmp_path, "bad", "--set", "LUCID_MEMORY=300m") == 1
    assert (pi.running(), pi.setting("LUCID_MEMORY")) == ({"two"}, "192m")
    assert pi.images() == 8, "the images that failed are gone"
    assert pi.lucid("rollback") == 0
    assert pi.running() == {"one"}


def test_a_rollback_to_what_does_not_work_comes_back(pi: FakeHost, tmp_path: Path) -> None:
    assert pi.upgrade(tmp_path, "two") == 0
    pi.spoil("one")
    assert pi.lucid("rollback") == 1
    assert pi.running() == {"two"}


def test_a_first_install_that_fails_is_left_as_it_is(bare: FakeHost, tmp_path: Path) -> None:
    assert bare.install(tmp_path, name="bad") == 3
    assert bare.running() == {"bad"}
    assert bare.lucid("status") == 20
    assert bare.install(tmp_path) == 0
    assert bare.lucid("rollback") == 2


def test_a_return_that_fails_too_has_a_status_of_its_own(
    pi: FakeHost, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert pi.upgrade(tmp_path, "two") == 0
    pi.spoil("two")
    assert pi.upgrade(tmp_path, "bad") == 4
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
        assert pi.upgrade(tmp_path, "two") == 130
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
    assert pi.upgrade(tmp_path, "two") == 1
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
        assert pi.upgrade(tmp_path, "two") == 0
    assert "once more tidies up" in capsys.readouterr().err
    pi.repair()
    assert pi.upgrade(tmp_path, "two") == 0
    assert pi.lucid("rollback") == 0
    assert pi.running() == {"one"}


def test_who_reads_no_more_does_not_stop_an_upgrade(
    pi: FakeHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as nobody, monkeypatch.context() as patched:
        patched.setattr("sys.stderr", nobody)
        assert pi.upgrade(tmp_path, "two") == 0
    assert pi.running() == {"two"}
    assert not (pi.home / "lucid/before").exists()
