"""What a host must be before a node is put on it: looked at, never changed."""

from __future__ import annotations

import shlex
import time
from dataclasses import dataclass

from lucid.deploy.host import Host

MEMORY_MB = 1_700
"""A Pi of 2 GB says about 1,850."""
DISK_MB = 4_000
CLOCK_S = 2
DOCKER = (20, 10)
NATIVE = ("aarch64", "arm64")

_LOOK = r"""
echo machine=$(uname -m)
echo memory_kb=$(awk '/^MemTotal/{print $2}' /proc/meminfo)
echo atomics=$(grep -m1 -o -w atomics /proc/cpuinfo)
echo model=$(tr -d '\0' 2>/dev/null </proc/device-tree/model)
test -e /proc/sys/fs/binfmt_misc/status && echo emulators=$(ls /proc/sys/fs/binfmt_misc | grep -c aarch64)
echo synchronised=$(timedatectl show -p NTPSynchronized --value 2>/dev/null)
echo now=$(date +%s)
echo docker=$(docker version --format '{{.Server.Version}}' 2>&1 | tail -n 1)
place=$(docker info --format '{{.DockerRootDir}}' 2>/dev/null)
test -d "$place" || place=/
echo disk_kb=$(df -Pk "$place" | awk 'NR==2{print $4}')
if docker compose version >/dev/null 2>&1; then echo 'compose=docker compose'
elif docker-compose version >/dev/null 2>&1; then echo compose=docker-compose; fi
"""


@dataclass(frozen=True)
class Requirement:
    """One thing that a host must be: what was found, and what is asked for when that is not enough."""

    name: str
    found: str
    lacking: str = ""
    warning: str = ""


@dataclass(frozen=True)
class Facts:
    """What a host said of itself."""

    machine: str
    memory_mb: int
    disk_mb: int
    model: str
    docker: str
    compose: str
    synchronised: str
    clock_off_s: float
    atomics: bool
    emulation: bool
    """Whether it can run arm64 programs; True too where that can't be told."""
    installed: bool

    @property
    def emulated(self) -> bool:
        """Whether arm64 images run there by emulation only."""
        return self.machine not in NATIVE

    @property
    def profile(self) -> str:
        """`pi4` for a processor without the instructions that MongoDB 5 and later need (ARMv8.2), `pi5` otherwise."""
        return "pi4" if not self.emulated and not self.atomics else "pi5"


def look(host: Host, folder: str) -> Facts:
    """Ask a host what it is; whether a node is installed in `folder`. Raises `DeployError`."""
    began = time.time()
    said = host.run(f"{_LOOK}\ntest -f {shlex.quote(folder)}/compose.yaml && echo installed=yes; true")
    middle = (began + time.time()) / 2
    facts = dict(line.partition("=")[::2] for line in said.splitlines() if "=" in line)
    return Facts(
        machine=facts.get("machine", ""),
        memory_mb=_number(facts.get("memory_kb")) // 1024,
        disk_mb=_number(facts.get("disk_kb")) // 1024,
        model=facts.get("model", ""),
        docker=facts.get("docker", ""),
        compose=facts.get("compose", ""),
        synchronised=facts.get("synchronised", ""),
        clock_off_s=abs(_number(facts.get("now")) + 0.5 - middle),
        atomics=bool(facts.get("atomics")),
        emulation=facts.get("emulators") != "0",
        installed=facts.get("installed") == "yes",
    )


def requirements(facts: Facts) -> list[Requirement]:
    """All that a node needs of its host, in the order in which an operator would put it right."""
    return [
        _machine(facts),
        _at_least("memory", facts.memory_mb, MEMORY_MB),
        _at_least("free disk", facts.disk_mb, DISK_MB),
        _clock(facts),
        _docker(facts),
        Requirement(
            "compose",
            facts.compose or "none",
            "" if facts.compose else "install docker-compose-plugin, or Debian's docker-compose",
        ),
    ]


def _machine(facts: Facts) -> Requirement:
    found = f"{facts.machine} {facts.model}".strip()
    if not facts.emulated:
        return Requirement("processor", found)
    if facts.machine == "x86_64" and facts.emulation:
        return Requirement("processor", found, warning="arm64 images are emulated there: for trials only")
    return Requirement("processor", found, "a 64-bit system (uname -m must say aarch64)")


def _at_least(name: str, found_mb: int, needed_mb: int) -> Requirement:
    return Requirement(name, f"{found_mb} MB", "" if found_mb >= needed_mb else f"at least {needed_mb} MB")


def _clock(facts: Facts) -> Requirement:
    off = f"{facts.clock_off_s:.1f} s from this machine's"
    if facts.synchronised == "yes":
        return Requirement("clock", "synchronised")
    if facts.synchronised == "no":
        return Requirement("clock", "not synchronised", "a clock kept by NTP (timedatectl set-ntp true)")
    if facts.clock_off_s > CLOCK_S:
        return Requirement("clock", off, f"within {CLOCK_S} s, and kept by NTP")
    return Requirement("clock", off, warning="whether NTP keeps it can't be told there")


def _docker(facts: Facts) -> Requirement:
    numbers = facts.docker.split(".")
    known = len(numbers) >= 2 and numbers[0].isdigit() and numbers[1].isdigit()
    if not known:
        return Requirement(
            "Docker", facts.docker or "none", "install docker.io, and let this user use it (group docker)"
        )
    enough = (int(numbers[0]), int(numbers[1])) >= DOCKER
    return Requirement("Docker", facts.docker, "" if enough else f"{DOCKER[0]}.{DOCKER[1]} or later")


def _number(text: str | None) -> int:
    return int(text) if text and text.isdigit() else 0
