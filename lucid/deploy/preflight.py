"""What a host must be before a node is put on it: looked at, never changed."""

from __future__ import annotations

import shlex
import time
from dataclasses import dataclass

from lucid.deploy.host import Host

MEMORY_MB = 1_700
"""A Pi of 2 GB says about 1,850."""
DISK_MB = 4_000
UPGRADE_DISK_MB = 1_000
"""The images lie there twice for a while; MongoDB is there."""
CLOCK_S = 2
DOCKER = (20, 10)
COMPOSE = (1, 29)
COMPOSE_1_BREAKS = 25
"""The old docker-compose reads what Docker's engine no longer says from here on, and cannot replace a container."""
NATIVE = ("aarch64", "arm64")
MAX_DIGITS = 18

_LOOK = r"""
echo machine=$(uname -m)
echo memory_kb=$(awk '/^MemTotal/{print $2}' /proc/meminfo)
echo atomics=$(grep -m1 -o -w atomics /proc/cpuinfo)
echo model=$(tr -d '\0' 2>/dev/null </proc/device-tree/model)
test -e /proc/sys/fs/binfmt_misc/status && echo emulators=$(ls /proc/sys/fs/binfmt_misc | grep -c aarch64)
echo synchronized=$(timedatectl show -p NTPSynchronized --value 2>/dev/null)
echo docker=$(docker version --format '{{.Server.Version}}' 2>&1 | tail -n 1)
place=$(docker info --format '{{.DockerRootDir}}' 2>/dev/null)
test -d "$place" || place=/
echo disk_kb=$(df -Pk "$place" | awk 'NR==2{print $4}')
echo memory_limit=$(docker info --format '{{.MemoryLimit}}' 2>/dev/null)
if docker compose version >/dev/null 2>&1; then
  echo 'compose=docker compose'; echo compose_version=$(docker compose version --short 2>/dev/null)
elif docker-compose version >/dev/null 2>&1; then
  echo compose=docker-compose; echo compose_version=$(docker-compose version --short 2>/dev/null)
fi
"""
_LOOK_FOLDER = r"""
case "$folder" in /*) ;; *) folder=$(pwd -P)/$folder;; esac
folder=$(cd "$folder" 2>/dev/null && pwd -P || echo "$folder")
echo folder=$folder
test ! -f "$folder/compose.yaml" || echo installed=yes
test ! -d "$folder/before" || echo unfinished=$(cat "$folder/before/why" 2>/dev/null || echo upgrade)
test ! -f "$folder/restoring" || echo restoring=$(cat "$folder/restoring")
owner=
for id in $(docker ps -aq --filter label=com.docker.compose.project=lucid 2>/dev/null | head -n 1); do
  owner=$(docker inspect --format '{{index .Config.Labels "com.docker.compose.project.working_dir"}}' $id)
done
test -n "$owner" || owner=$(docker volume inspect --format '{{index .Labels "lucid.folder"}}' lucid_config 2>/dev/null)
test -z "$owner" || echo owner=$(cd "$owner" 2>/dev/null && pwd -P || echo "$owner")
if docker volume inspect lucid_config >/dev/null 2>&1; then echo config=yes; fi
if docker volume inspect lucid_mongodb >/dev/null 2>&1; then echo data=yes; fi
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
    synchronized: str
    clock_off_s: float
    atomics: bool
    emulation: bool
    """Whether it can run arm64 programs; True too where that cannot be told."""
    installed: bool
    """Whether Compose's file is in the folder."""
    folder: str = ""
    """Where Compose's files are or will be, as the host knows it."""
    owner: str = ""
    """The folder to which a node's containers and key there belong; empty where there are none."""
    config: bool = False
    """Whether there is a volume for a key."""
    data: bool = False
    """Whether there is a volume with a node's data."""
    unfinished: str = ""
    """What was begun and not ended, `upgrade` or `rollback`."""
    restoring: tuple[str, ...] = ()
    """The backup that is being read in, and what of it is there already."""
    compose_version: str = ""
    memory_limit: bool = True

    @property
    def emulated(self) -> bool:
        """Whether arm64 images run there by emulation only."""
        return self.machine not in NATIVE

    @property
    def platform(self) -> str:
        """What its own images are for, as Docker says it."""
        return "linux/amd64" if self.machine == "x86_64" else "linux/arm64"

    @property
    def profile(self) -> str:
        """`pi4` for a processor without the instructions that MongoDB 5 and later need (ARMv8.2), `pi5` otherwise."""
        return "pi4" if not self.emulated and not self.atomics else "pi5"


def look(host: Host, folder: str) -> Facts:
    """Ask a host what it is, and what is in `folder` there. Raises `DeployError`."""
    said = host.run(f"{_LOOK}\nfolder={shlex.quote(folder)}{_LOOK_FOLDER}true")
    facts = dict(line.partition("=")[::2] for line in said.splitlines() if "=" in line)
    return Facts(
        machine=facts.get("machine", ""),
        memory_mb=_number(facts.get("memory_kb")) // 1024,
        disk_mb=_number(facts.get("disk_kb")) // 1024,
        model=facts.get("model", ""),
        docker=facts.get("docker", ""),
        compose=facts.get("compose", ""),
        synchronized=facts.get("synchronized", ""),
        clock_off_s=_clock_off(host),
        atomics=bool(facts.get("atomics")),
        emulation=facts.get("emulators") != "0",
        installed=facts.get("installed") == "yes",
        folder=facts.get("folder", ""),
        owner=facts.get("owner", ""),
        config=facts.get("config") == "yes",
        data=facts.get("data") == "yes",
        unfinished=facts.get("unfinished", ""),
        restoring=tuple(facts.get("restoring", "").split()),
        compose_version=facts.get("compose_version", ""),
        memory_limit=facts.get("memory_limit") != "false",
    )


def _clock_off(host: Host) -> float:
    """How far its clock is from this machine's at least, in seconds, however slow the line. Raises `DeployError`."""
    began = time.time()
    now = _number(host.run("date +%s").strip())
    return max(0.0, began - (now + 1), now - time.time())


def requirements(facts: Facts) -> list[Requirement]:
    """All that a node needs of its host, in the order in which an operator would put it right."""
    return [
        _machine(facts),
        _memory(facts),
        _at_least("free disk", facts.disk_mb, UPGRADE_DISK_MB if facts.installed else DISK_MB),
        _clock(facts),
        *tools(facts),
    ]


def tools(facts: Facts) -> list[Requirement]:
    """What every action needs, also on a host that is full or whose clock is off."""
    return [_docker(facts), _compose(facts)]


def _memory(facts: Facts) -> Requirement:
    needed = _at_least("memory", facts.memory_mb, MEMORY_MB)
    if needed.lacking or facts.memory_limit:
        return needed
    why = "no limits of memory: add cgroup_enable=memory cgroup_memory=1 to /boot/firmware/cmdline.txt and start anew"
    return Requirement("memory", needed.found, warning=why)


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
    if facts.synchronized == "yes":
        return Requirement("clock", "synchronized")
    if facts.synchronized == "no":
        return Requirement("clock", "not synchronized", "a clock kept by NTP (timedatectl set-ntp true)")
    if facts.clock_off_s > CLOCK_S:
        return Requirement("clock", off, f"within {CLOCK_S} s, and kept by NTP")
    return Requirement("clock", off, warning="whether NTP keeps it cannot be told there")


def _docker(facts: Facts) -> Requirement:
    version = _version(facts.docker)
    if not version:
        return Requirement(
            "Docker", facts.docker or "none", "install docker.io, and let this user use it (group docker)"
        )
    return Requirement("Docker", facts.docker, "" if version >= DOCKER else f"{DOCKER[0]}.{DOCKER[1]} or later")


def _compose(facts: Facts) -> Requirement:
    found = f"{facts.compose} {facts.compose_version}".strip() or "none"
    plugin = "install docker-compose-plugin"
    if not facts.compose:
        return Requirement("compose", found, f"{plugin}, or Debian's docker-compose")
    version = _version(facts.compose_version)
    if version and version < COMPOSE:
        return Requirement("compose", found, f"{COMPOSE[0]}.{COMPOSE[1]} or later: {plugin}")
    if version and version < (2, 0) and _version(facts.docker) >= (COMPOSE_1_BREAKS, 0):
        return Requirement(
            "compose", found, f"{plugin}: docker-compose 1 fails with Docker {COMPOSE_1_BREAKS} or later"
        )
    return Requirement("compose", found)


def _version(text: str) -> tuple[int, ...]:
    """Its first two numbers; nothing where it has none."""
    numbers = text.removeprefix("v").split(".")[:2]
    return tuple(int(each) for each in numbers) if len(numbers) == 2 and all(map(_is_number, numbers)) else ()


def _number(text: str | None) -> int:
    return int(text) if text and _is_number(text) else 0


def _is_number(text: str) -> bool:
    """What `int` takes: a host may say anything, such as a digit that is none (\u00b2), or thousands of them."""
    return text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS
