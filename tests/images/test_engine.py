"""An engine and the others on its machine, told apart by their commands: no engine is started here."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from images.laboratory import engine


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine of files: processes, forwarding, emulation; commands that would change the real one do nothing."""
    for name in ("proc", "binfmt", "programs", "own", "run", "run/docker", "run/runc"):
        (tmp_path / name).mkdir()
    for name in ("ip", "iptables", "umount"):
        program = tmp_path / "programs" / name
        program.write_text(f'#!/bin/sh\necho {name} "$@" >>{tmp_path}/ran\n')
        program.chmod(0o755)
    (tmp_path / "forward").write_text("1")
    (tmp_path / "binfmt" / "lucid-aarch64").write_text("enabled")
    state = {"forward": "0", "policy": "ACCEPT", "mounted": True, "emulated": True, "running": ["runc"]}
    (tmp_path / "own" / "state.json").write_text(json.dumps(state))
    monkeypatch.setattr(engine, "_PROCESSES", tmp_path / "proc")
    monkeypatch.setattr(engine, "_FORWARD", tmp_path / "forward")
    monkeypatch.setattr(engine, "_RUN", tmp_path / "run")
    monkeypatch.setattr(engine, "_BINFMT", tmp_path / "binfmt")
    monkeypatch.setattr(engine.DockerEngine, "environment", {"PATH": str(tmp_path / "programs")})
    monkeypatch.setenv("PATH", f"{tmp_path / 'programs'}:{os.environ['PATH']}")
    return tmp_path


def run(machine: Path, pid: int, *words: str) -> None:
    """A process of that command."""
    (machine / "proc" / str(pid)).mkdir()
    (machine / "proc" / str(pid) / "cmdline").write_bytes(b"".join(word.encode() + b"\0" for word in words))


def test_down_leaves_the_network_and_emulation_of_another_engine_alone(
    machine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(machine, 18227, "/usr/sbin/dockerd", "--pidfile", "/elsewhere/docker.pid")
    engine.down(machine / "own")
    assert (machine / "forward").read_text() == "1"
    assert (machine / "binfmt" / "lucid-aarch64").read_text() == "enabled"
    assert not (machine / "ran").exists()
    assert "18227" in capsys.readouterr().err
    assert not (machine / "own").exists()


def test_down_puts_all_back_when_no_other_engine_runs(machine: Path) -> None:
    run(machine, 7, "/usr/bin/python3", "dockerd")
    engine.down(machine / "own")
    assert (machine / "forward").read_text() == "0"
    assert (machine / "binfmt" / "lucid-aarch64").read_text() == "-1"
    ran = (machine / "ran").read_text()
    assert "iptables -P FORWARD ACCEPT" in ran and "ip link delete docker0" in ran and "umount" in ran
    assert [path.name for path in (machine / "run").iterdir()] == ["runc"]


def test_down_takes_nothing_away_that_it_did_not_make(machine: Path) -> None:
    state = {"forward": "1", "policy": "", "mounted": False, "emulated": False, "running": ["docker", "runc"]}
    (machine / "own" / "state.json").write_text(json.dumps(state))
    engine.down(machine / "own")
    assert (machine / "binfmt" / "lucid-aarch64").read_text() == "enabled"
    assert "umount" not in (machine / "ran").read_text()
    assert (machine / "run" / "docker").exists()


def test_no_engine_is_started_beside_another(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    run(machine, 18227, "dockerd")
    with pytest.raises(engine.EngineError, match="18227"):
        engine.up(machine / "new")
    assert not (machine / "new").exists()


def test_a_number_that_another_process_has_by_now_is_not_killed(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    killed: list[int] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: killed.append(pid))
    (machine / "own" / "docker.pid").write_text("42")
    run(machine, 42, "postgres")
    engine.down(machine / "own")
    assert killed == []


def test_what_a_killed_engine_left_is_ended(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    killed: list[int] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: killed.append(pid))
    own = machine / "own"
    run(machine, 50, "containerd", "--config", f"{own}/exec/containerd/containerd.toml")
    run(
        machine, 51, f"{own}/root/usr/bin/containerd-shim-runc-v2", "-address", f"{own}/exec/containerd/containerd.sock"
    )
    run(machine, 52, "containerd", "--config", "/elsewhere/containerd.toml")
    run(machine, 53, "python3", "-m", "images.laboratory.engine", "down", str(own))
    task = own / "exec/containerd/daemon/io.containerd.runtime.v2.task/moby/abc"
    task.mkdir(parents=True)
    (task / "init.pid").write_text("54")
    run(machine, 54, "/usr/bin/python3.11")
    (machine / "proc/54/cgroup").write_text("0::/docker/abc\n")
    engine.down(own)
    assert killed == [50, 51, 54]
    assert not own.exists()


def test_a_folder_that_is_no_engines_is_left_alone(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    (machine / "home").mkdir()
    (machine / "home" / "letters").write_text("dear")
    for act in (engine.up, engine.down):
        with pytest.raises(engine.EngineError, match="not an engine's folder"):
            act(machine / "home")
    assert (machine / "home" / "letters").read_text() == "dear"
