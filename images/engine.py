"""A Docker engine of this project's own on a bare Debian machine: started, asked and taken down without a trace.

`python -m images.engine up|down`. Docker's packages are unpacked into a folder of their own instead of installed, so that
taking it down is: stop it, put the network back, delete the folder. Root only; the engine listens at a socket in that
folder and nowhere else.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from images import emulation
from images.network import Network
from images.packages import PackageError, fetch_missing, unpack

FOLDER = Path("/var/tmp/lucid-engine")
FOLDER_VARIABLE = "LUCID_ENGINE_DIR"
START_S = 30.0
STOP_S = 30.0
_DIRECTORIES = ("usr/local/sbin", "usr/local/bin", "usr/sbin", "usr/bin", "sbin", "bin")


class EngineError(Exception):
    """The engine can't be started, reached or stopped; the text is one sentence."""


class Engine:
    """The engine in one folder."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or Path(os.environ.get(FOLDER_VARIABLE, FOLDER))
        self._programs = self.folder / "programs"
        self._pid_file = self.folder / "docker.pid"
        self._state = self.folder / "network.json"

    @property
    def host(self) -> str:
        """What `DOCKER_HOST` has to be."""
        return f"unix://{self.folder / 'docker.sock'}"

    @property
    def environment(self) -> dict[str, str]:
        """Environment in which `docker` is the unpacked client and talks to this engine."""
        paths = [str(self._programs / directory) for directory in _DIRECTORIES]
        libraries = [str(path) for path in sorted(self._programs.glob("usr/lib/*-linux-gnu"))]
        system = [f"/{directory}" for directory in _DIRECTORIES]
        environment = dict(os.environ) | {
            "PATH": os.pathsep.join([*paths, *system, os.environ.get("PATH", "")]),
            "DOCKER_HOST": self.host,
            "DOCKER_BUILDKIT": "1",
            "DOCKER_CONFIG": str(self.folder / "client"),
        }
        if libraries:
            environment["LD_LIBRARY_PATH"] = os.pathsep.join(libraries)
            environment["XTABLES_LIBDIR"] = os.pathsep.join(f"{each}/xtables" for each in libraries)
        return environment

    def answers(self) -> bool:
        """Whether the engine is up."""
        return (self.folder / "docker.sock").exists() and server_version(self.environment) is not None

    def up(self, say: Callable[[str], None] = print) -> None:
        """Start it, with arm64 emulation; nothing happens when it is up. Raises `EngineError`."""
        if self.answers():
            say(f"The engine at {self.host} is up already.")
            return
        if why := obstacle():
            raise EngineError(why)
        if self.folder.exists():
            self.down(say)
        self.folder.mkdir(parents=True, mode=0o700)
        try:
            self._unpack(say)
            self._start(say)
            self._emulate(say)
        except (PackageError, OSError, subprocess.CalledProcessError, EngineError) as error:
            self.down(say)
            raise EngineError(_sentence(error)) from None

    def down(self, say: Callable[[str], None] = print) -> None:
        """Stop it and leave nothing behind; nothing happens when it is down. Raises `EngineError`."""
        if not self.folder.exists():
            say("No engine of this project runs here.")
            return
        try:
            self._stop()
            if self._state.exists():
                Network(self.environment).restore(self._state)
            marker = self.folder / "emulation.json"
            if marker.exists():
                emulation.unregister(json.loads(marker.read_text(encoding="utf-8"))["mounted"])
            self._unmount()
            _remove_cgroups()
            shutil.rmtree(self.folder)
        except (OSError, subprocess.CalledProcessError) as error:
            raise EngineError(_sentence(error)) from None
        say("The engine is down; nothing of it is left.")

    def _unpack(self, say: Callable[[str], None]) -> None:
        begun = time.monotonic()
        if shutil.which("dockerd") is None or shutil.which("iptables") is None:
            unpack(fetch_missing(["docker.io", "iptables"], self.folder), self._programs)
            self._alternatives()
            shutil.rmtree(self.folder / "archives")
        say(f"Docker is unpacked ({time.monotonic() - begun:.1f} s).")

    def _alternatives(self) -> None:
        """Debian names the tables' program only when it installs it."""
        program = self._programs / "usr/sbin/xtables-nft-multi"
        for name in ("iptables", "ip6tables", "iptables-save", "iptables-restore"):
            if program.exists() and not (program.parent / name).exists():
                (program.parent / name).symlink_to(program.name)

    def _start(self, say: Callable[[str], None]) -> None:
        begun = time.monotonic()
        Network(self.environment).remember(self._state)
        command = ["dockerd", "--host", self.host, "--data-root", str(self.folder / "data")]
        command += ["--exec-root", str(self.folder / "run"), "--pidfile", str(self._pid_file)]
        environment = {name: value for name, value in self.environment.items() if name != "DOCKER_HOST"}
        program = shutil.which("dockerd", path=environment["PATH"])
        if program is None:
            raise EngineError("dockerd is not among the packages that were unpacked")
        with (self.folder / "dockerd.log").open("ab") as log:
            process = subprocess.Popen(
                [program, *command[1:]],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        while not self.answers():
            if process.poll() is not None or time.monotonic() - begun > START_S:
                raise EngineError(f"dockerd does not come up: {self._last_words()}")
            time.sleep(0.1)
        say(f"dockerd {server_version(self.environment)} answers at {self.host} ({time.monotonic() - begun:.1f} s).")

    def _emulate(self, say: Callable[[str], None]) -> None:
        if emulation.works():
            say("arm64 programs run here already.")
            return
        begun = time.monotonic()
        marker = self.folder / "emulation.json"
        marker.write_text(json.dumps({"mounted": not (emulation.BINFMT / "register").exists()}), encoding="utf-8")
        emulation.register(self.folder)
        say(f"qemu runs arm64 programs ({time.monotonic() - begun:.1f} s).")

    def _stop(self) -> None:
        """Containers first, at once: dockerd would wait ten seconds for each that does not heed SIGTERM."""
        pid = self._pid()
        if pid is None:
            return
        if self.answers():
            running = docker(self.environment, "ps", "--quiet").split()
            if running:
                docker(self.environment, "kill", *running, check=False)
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_S
        while self._pid() is not None:
            with suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
            if time.monotonic() > deadline:
                raise EngineError(f"dockerd (process {pid}) does not stop")
            time.sleep(0.1)

    def _pid(self) -> int | None:
        """The process of the pid file, if it is this folder's dockerd: a number alone may be somebody else's by now."""
        try:
            pid = int(self._pid_file.read_text(encoding="ascii"))
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except (OSError, ValueError):
            return None
        return pid if str(self._pid_file).encode() in words else None

    def _unmount(self) -> None:
        """What a dockerd that died left mounted would make the folder impossible to delete."""
        mounts = [line.split()[1] for line in Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()]
        for mount in sorted((each for each in mounts if each.startswith(f"{self.folder}/")), reverse=True):
            subprocess.run(["umount", "--lazy", mount], check=True)

    def _last_words(self) -> str:
        lines = (self.folder / "dockerd.log").read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1] if lines else "it says nothing"


def obstacle() -> str | None:
    """Why no engine can be started here; none when nothing speaks against it."""
    if not sys.platform.startswith("linux") or shutil.which("apt-get") is None:
        return "an engine of its own is only started on Debian: install Docker as your system wants it"
    if os.geteuid() != 0:
        return "starting a Docker engine needs root"
    return None


def server_version(environment: Mapping[str, str]) -> str | None:
    """Version of the engine that `docker` reaches; none when it reaches none."""
    try:
        return docker(environment, "version", "--format", "{{.Server.Version}}").strip() or None
    except EngineError:
        return None


def docker(environment: Mapping[str, str], *words: str, check: bool = True) -> str:
    """What a `docker` command prints. Raises `EngineError` with its last line of complaint."""
    program = shutil.which("docker", path=environment.get("PATH"))
    if program is None:
        raise EngineError("there is no docker command")
    done = subprocess.run([program, *words], env=dict(environment), capture_output=True, text=True, check=False)
    if check and done.returncode:
        raise EngineError(f"docker {words[0]}: {(done.stderr.strip() or 'failed').splitlines()[-1]}")
    return done.stdout


def reach() -> dict[str, str]:
    """Environment of an engine that answers: this project's own, or whichever `docker` reaches. Raises `EngineError`."""
    own = Engine()
    if own.answers():
        return own.environment
    environment = {**os.environ, "DOCKER_BUILDKIT": "1"}
    if server_version(environment) is None:
        raise EngineError("no Docker engine answers: start yours, or one of this project's own with nox -s engine-up")
    return environment


def _remove_cgroups() -> None:
    """Docker leaves its empty parent groups."""
    root = Path("/sys/fs/cgroup")
    for parent in (*root.glob("docker"), *root.glob("*/docker")):
        for group in sorted((path for path in parent.rglob("*") if path.is_dir()), reverse=True):
            with suppress(OSError):
                group.rmdir()
        with suppress(OSError):
            parent.rmdir()


def _sentence(error: Exception) -> str:
    if isinstance(error, subprocess.CalledProcessError):
        words = error.stderr.strip() if isinstance(error.stderr, str) else ""
        return f"{' '.join(map(str, error.cmd))}: {words or error.returncode}"
    return str(error)


def main() -> int:
    """Take an engine up or down; exit status 2 when that can't be done."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("action", choices=("up", "down"))
    engine = Engine()
    try:
        if parser.parse_args().action == "up":
            engine.up()
            print(f"export DOCKER_HOST={engine.host} DOCKER_BUILDKIT=1")
        else:
            engine.down()
    except EngineError as error:
        print(f"engine: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
