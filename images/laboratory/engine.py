"""A private Docker engine with arm64 emulation on a bare Debian machine, in one folder, and its removal.

`python -m images.laboratory.engine up|down [DIR]`. Nothing is installed: the engine's packages are unpacked into the
folder and run from there, under a socket, a data root and a process id file of its own. `down` stops it and puts all
back.

Engines of one machine share its filter rules, `docker0`, forwarding and emulation, and none of these says whose it
is. So no engine is started beside another, and what is shared is only put back when no other has come since.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from images.laboratory.packages import PackageError, fetch_missing, libraries, unpack, wrap

DEFAULT_FOLDER = Path("/tmp/lucid-engine")
STATE = "state.json"
"""What the machine was like before; also the mark of an engine's folder."""
START_S = 30.0
STOP_S = 30.0
_PROCESSES = Path("/proc")
_BINFMT = Path("/proc/sys/fs/binfmt_misc")
_NAME = "lucid-aarch64"
_FORWARD = Path("/proc/sys/net/ipv4/ip_forward")
_RUN = Path("/run")
_RUNNING = ("containerd", "docker", "runc")
"""What engines make below /run whatever they are told."""
# The ELF header of an aarch64 program, and the mask under which it is compared (Linux, binfmt_misc).
_MAGIC = r"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00"
_MASK = r"\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff"


class EngineError(Exception):
    """The engine cannot be had here; the text is one sentence."""


@dataclass(frozen=True)
class DockerEngine:
    """An engine that runs: how to reach it."""

    folder: Path

    @property
    def host(self) -> str:
        """What DOCKER_HOST is set to."""
        return f"unix://{self.folder / 'docker.sock'}"

    @property
    def environment(self) -> dict[str, str]:
        """The variables under which `docker` here talks to this engine and none else."""
        root = self.folder / "root"
        found = [str(root / each) for each in ("usr/sbin", "usr/bin", "sbin", "bin")]
        held = libraries(root)
        kept = {key: value for key, value in os.environ.items() if not key.startswith("DOCKER_")}
        return {
            **kept,
            "PATH": ":".join([*found, "/usr/sbin", "/usr/bin", "/sbin", "/bin"]),
            "LD_LIBRARY_PATH": ":".join(map(str, held)),
            "XTABLES_LIBDIR": next((str(path / "xtables") for path in held if (path / "xtables").is_dir()), ""),
            "DOCKER_HOST": self.host,
            "DOCKER_BUILDKIT": "1",
            "DOCKER_CONFIG": str(self.folder / "config"),
        }

    @property
    def programs(self) -> Path:
        """A folder for the PATH, in which `docker` is the command of this engine's version."""
        return self.folder / "bin"

    def docker(self, *words: str, check: bool = True) -> str:
        """Run a docker command; returns its output. Raises `EngineError` with its last line."""
        done = subprocess.run(["docker", *words], env=self.environment, capture_output=True, text=True, check=False)
        if check and done.returncode:
            raise EngineError(f"docker {' '.join(words)[:80]}: {(done.stderr.strip() or done.stdout.strip())[-1500:]}")
        return done.stdout


def up(folder: Path) -> DockerEngine:
    """Start an engine in `folder`, or find the one that runs there. Raises `EngineError`, and leaves nothing then."""
    engine = DockerEngine(folder)
    if _answers(engine):
        return engine
    if os.geteuid():
        raise EngineError("an engine can only be started by root")
    if others := other_engines(folder):
        raise EngineError(
            f"another engine runs here (process {others[0]}), and two would share its network: use that one"
        )
    down(folder)  # what is left of one that was killed, and of what it changed
    folder.mkdir(parents=True, exist_ok=True)
    try:
        state: dict[str, object] = {
            "forward": _FORWARD.read_text().strip(),
            "policy": "",
            "mounted": False,
            "emulated": False,
            "running": [name for name in _RUNNING if (_RUN / name).exists()],
        }
        (folder / STATE).write_text(json.dumps(state))
        _unpack_packages(folder)
        _choose_iptables(engine)
        state["policy"] = _policy(engine)
        (folder / STATE).write_text(json.dumps(state))
        if platform.machine() != "aarch64":
            state["emulated"] = not (_BINFMT / _NAME).exists()
            state["mounted"] = _emulate(folder)
            (folder / STATE).write_text(json.dumps(state))
        engine.programs.mkdir()
        told = {"DOCKER_BUILDKIT": "1", "DOCKER_CONFIG": engine.environment["DOCKER_CONFIG"]}
        wrap(folder / "root", "docker", engine.programs, told)
        _start(engine)
    except BaseException as error:
        down(folder)
        if isinstance(error, PackageError | OSError):
            raise EngineError(str(error)) from None
        raise
    return engine


def down(folder: Path) -> None:
    """Stop the engine of `folder`, with its containers, and remove the folder. Nothing happens when there is none.

    Raises `EngineError` for a folder that holds something else.
    """
    engine = DockerEngine(folder)
    if not folder.exists() or not any(folder.iterdir()):
        return
    if not (folder / STATE).exists():
        raise EngineError(f"{folder} is not an engine's folder, and not empty")
    if _answers(engine):
        for container in engine.docker("ps", "--quiet", check=False).split():
            engine.docker("kill", container, check=False)
    _stop(folder)
    if others := other_engines(folder):
        print(
            f"engine: another runs here (process {others[0]}): network and emulation stay as they are", file=sys.stderr
        )
    else:
        _put_back(engine)
    for line in Path("/proc/self/mounts").read_text().splitlines():
        mounted = line.split()[1]
        if mounted.startswith(f"{folder}/"):
            subprocess.run(["umount", "--lazy", mounted], check=False)
    shutil.rmtree(folder, ignore_errors=True)


def other_engines(folder: Path) -> list[int]:
    """Processes on this machine that are a dockerd, but not the one of `folder`."""
    return sorted(
        int(each.name)
        for each in _PROCESSES.iterdir()
        if each.name.isdecimal()
        and (words := _command(each))
        and Path(words[0]).name == "dockerd"
        and str(folder / "docker.pid") not in words
    )


def _command(process: Path) -> list[str]:
    """The words of a process's command; none of one that has ended, waited for or not."""
    try:
        return process.joinpath("cmdline").read_bytes().decode(errors="replace").split("\0")[:-1]
    except OSError:
        return []


def _put_back(engine: DockerEngine) -> None:
    """What this engine changed for the whole machine, as its state file says it was. Without one it changed nothing."""
    try:
        state = json.loads((engine.folder / STATE).read_text())
    except (OSError, ValueError):
        return
    with contextlib.suppress(OSError):
        if state["emulated"]:
            (_BINFMT / _NAME).write_text("-1")
    with contextlib.suppress(OSError):
        _FORWARD.write_text(state["forward"])
    if state["mounted"]:
        subprocess.run(["umount", str(_BINFMT)], capture_output=True, check=False)
    if state["policy"]:
        subprocess.run(["iptables", "-P", "FORWARD", state["policy"]], env=engine.environment, check=False)
    subprocess.run(["ip", "link", "delete", "docker0"], capture_output=True, check=False)
    for name in _RUNNING:
        # An older version of this module did not look.
        if name not in state.get("running", _RUNNING):
            shutil.rmtree(_RUN / name, ignore_errors=True)


def _unpack_packages(folder: Path) -> None:
    names = ["docker.io", "iptables"] + (["qemu-user-static"] if platform.machine() != "aarch64" else [])
    archives = fetch_missing(names, folder / "packages")
    unpack(archives, folder / "root")
    shutil.rmtree(folder / "packages")


def _choose_iptables(engine: DockerEngine) -> None:
    """Debian's alternatives system, which did not run, would have linked one of the two kinds of iptables."""
    for kind in ("nft", "legacy"):
        for name in ("iptables", "ip6tables"):
            link = engine.folder / "root/usr/sbin" / name
            link.unlink(missing_ok=True)
            link.symlink_to(f"xtables-{kind}-multi")
        done = subprocess.run(["iptables", "-t", "nat", "-S"], env=engine.environment, capture_output=True, check=False)
        if done.returncode == 0:
            return
    raise EngineError("iptables does not work here: containers could not reach each other")


def _emulate(folder: Path) -> bool:
    """Let the kernel run aarch64 programs by qemu; says whether binfmt_misc had to be mounted."""
    mounted = False
    if not (_BINFMT / "register").exists():
        done = subprocess.run(
            ["mount", "-t", "binfmt_misc", "binfmt_misc", str(_BINFMT)], capture_output=True, check=False
        )
        if done.returncode:
            raise EngineError("binfmt_misc cannot be mounted: arm64 programs cannot be emulated here")
        mounted = True
    if not (_BINFMT / _NAME).exists():
        program = folder / "root/usr/bin/qemu-aarch64-static"
        # F: the kernel holds the program open, so that containers need no qemu inside.
        (_BINFMT / "register").write_bytes(f":{_NAME}:M::{_MAGIC}:{_MASK}:{program}:F".encode())
    return mounted


def _start(engine: DockerEngine) -> None:
    folder = engine.folder
    command = [
        "dockerd",
        *("--host", engine.host),
        *("--data-root", str(folder / "data"), "--exec-root", str(folder / "exec")),
        *("--pidfile", str(folder / "docker.pid")),
    ]
    with (folder / "dockerd.log").open("ab") as log:
        process = subprocess.Popen(
            command, env=engine.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    deadline = time.monotonic() + START_S
    while not _answers(engine):
        if process.poll() is not None or time.monotonic() > deadline:
            last = (folder / "dockerd.log").read_text(errors="replace").strip().splitlines()[-3:]
            raise EngineError(f"dockerd does not start: {' / '.join(last)}")
        time.sleep(0.1)


def _pid(folder: Path) -> int | None:
    """The folder's dockerd, if it runs: the number in a file that was left behind may be another's by now."""
    try:
        pid = int((folder / "docker.pid").read_text())
    except (OSError, ValueError):
        return None
    return pid if str(folder / "docker.pid") in _command(_PROCESSES / str(pid)) else None


def _stop(folder: Path) -> None:
    """Stop the folder's dockerd, and what one that was killed has left."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        pid = _pid(folder)
        if pid is None:
            break
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = time.monotonic() + STOP_S
        while _pid(folder) is not None and time.monotonic() < deadline:
            time.sleep(0.1)
    for pid in _orphans(folder):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _orphans(folder: Path) -> list[int]:
    """Processes of an engine without its dockerd: containerd, its shims, and what ran in containers."""
    found = [
        int(each.name)
        for each in _PROCESSES.iterdir()
        if each.name.isdecimal()
        and (words := _command(each))
        and Path(words[0]).name.startswith("containerd")
        and any(word.startswith(f"{folder}/") for word in words)
    ]
    for path in sorted(folder.glob("exec/containerd/daemon/io.containerd.runtime.v2.task/moby/*/init.pid")):
        with contextlib.suppress(OSError, ValueError):
            pid = int(path.read_text())
            if path.parent.name in (_PROCESSES / str(pid) / "cgroup").read_text():
                found.append(pid)
    return sorted(found)


def _answers(engine: DockerEngine) -> bool:
    if not (engine.folder / "docker.sock").exists():
        return False
    done = subprocess.run(
        ["docker", "version", "--format", "{{.Server.Version}}"],
        env=engine.environment,
        capture_output=True,
        check=False,
    )
    return done.returncode == 0


def _policy(engine: DockerEngine) -> str:
    """The FORWARD chain's policy, which dockerd sets to DROP."""
    done = subprocess.run(
        ["iptables", "-S", "FORWARD"], env=engine.environment, capture_output=True, text=True, check=False
    )
    words = done.stdout.split()
    return words[2] if words[:2] == ["-P", "FORWARD"] else ""


def main() -> int:
    """`up` prints what a shell must be told; exit status 2 when an engine cannot be had."""
    parser = argparse.ArgumentParser(
        prog="images.laboratory.engine", description="A private Docker engine, and its removal."
    )
    parser.add_argument("what", choices=("up", "down"))
    parser.add_argument("folder", type=Path, nargs="?", default=DEFAULT_FOLDER)
    options = parser.parse_args()
    try:
        if options.what == "down":
            down(options.folder)
        else:
            engine = up(options.folder)
            print(f"export DOCKER_HOST={engine.host} PATH={engine.programs}:$PATH")
    except EngineError as error:
        print(f"engine: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
