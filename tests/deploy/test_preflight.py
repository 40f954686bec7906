"""What a host is asked before a node is put on it, and what of that stops a deployment."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lucid.deploy.host import Host
from lucid.deploy.preflight import Facts, look, requirements
from tests.deploy.fakehost import FakeHost, program

PI = Facts("aarch64", 3_800, 20_000, "Raspberry Pi 5", "28.2.2", "docker compose", "yes", 0.1, True, True, False)


def facts(**changes: Any) -> Facts:
    return replace(PI, **changes)


def lacking(**changes: object) -> list[str]:
    return [each.name for each in requirements(facts(**changes)) if each.lacking]


def test_a_pi_that_has_everything() -> None:
    assert lacking() == []
    assert facts().profile == "pi5"
    assert facts(atomics=False).profile == "pi4"


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"machine": "armv7l"}, ["processor"]),
        ({"machine": "x86_64", "emulation": False}, ["processor"]),
        ({"memory_mb": 900}, ["memory"]),
        ({"disk_mb": 3_000}, ["free disk"]),
        ({"synchronized": "no"}, ["clock"]),
        ({"synchronized": "", "clock_off_s": 60.0}, ["clock"]),
        ({"docker": "Cannot connect to the Docker daemon"}, ["Docker"]),
        ({"docker": "19.03.1"}, ["Docker"]),
        ({"docker": "", "compose": ""}, ["Docker", "compose"]),
        ({"docker": "28.2.2", "compose": "docker-compose", "compose_version": "1.29.2"}, ["compose"]),
        ({"docker": "20.10.24+dfsg1", "compose": "docker-compose", "compose_version": "1.29.2"}, []),
        ({"docker": "20.10.24", "compose": "docker-compose", "compose_version": "1.25.0"}, ["compose"]),
        ({"compose_version": "v2.30.0"}, []),
        ({"disk_mb": 3_000, "installed": True}, []),
        ({"disk_mb": 900, "installed": True}, ["free disk"]),
    ],
)
def test_what_a_host_lacks_is_named(changes: dict[str, object], names: list[str]) -> None:
    assert lacking(**changes) == names


def test_what_can_not_be_told_is_a_warning() -> None:
    assert lacking(synchronized="") == []
    assert any(each.warning for each in requirements(facts(synchronized="")))
    assert any("emulated" in each.warning for each in requirements(facts(machine="x86_64")))
    assert any("cgroup_enable=memory" in each.warning for each in requirements(facts(memory_limit=False)))


def test_a_host_is_looked_at_by_what_it_says_itself(bare: FakeHost, tmp_path: Path) -> None:
    with Host("pi", str(bare.ssh)) as host:
        found = look(host, "lucid")
        assert (found.machine, found.docker, found.compose, found.compose_version) == (
            "aarch64", "28.2.2", "docker compose", "2.30.0",
        )  # fmt: skip
        assert (found.disk_mb, found.synchronized, found.memory_limit) == (20_000_000 // 1_024, "yes", True)
        assert found.memory_mb > 0 and found.clock_off_s < 60
        assert (found.folder, found.installed, found.config, found.owner) == (f"{bare.home}/lucid", False, False, "")
        assert bare.install(tmp_path) == 0
        found = look(host, "lucid")
        assert (found.installed, found.config, found.owner) == (True, True, f"{bare.home}/lucid")
        (bare.home / "lucid" / "before").mkdir()
        (bare.home / "lucid" / "restoring").write_text("backup.1 engine data\n")
        found = look(host, str(bare.home / "lucid"))
        assert (found.unfinished, found.restoring) == ("upgrade", ("backup.1", "engine", "data"))


@pytest.mark.parametrize(
    "said",
    [
        "",
        "no equals sign",
        "memory_kb=lots\ndisk_kb=-5\nmachine=\n=\n",
        "=" * 9_999,
        "memory_kb=\u00b2\ndocker=\u00b2.\u00b2\ncompose_version=\u00b2.0\n",
        f"memory_kb={'9' * 5_000}\n",
    ],
    ids=["nothing", "no sign", "no numbers", "signs", "no digits", "too many"],
)
def test_what_a_host_does_not_say_is_lacking_and_no_failure(tmp_path: Path, said: str) -> None:
    (tmp_path / "said").write_text(said)
    with Host("pi", program(tmp_path / "ssh", f"cat {tmp_path}/said")) as host:
        found = look(host, "lucid")
    assert (found.memory_mb, found.disk_mb, found.installed) == (0, 0, False)
    named = {each.name for each in requirements(found) if each.lacking}
    assert named == {"processor", "memory", "free disk", "clock", "Docker", "compose"}
