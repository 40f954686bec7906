"""A host reached by the operator's own `ssh`: commands, files in and out, and ports brought here."""

from __future__ import annotations

import shlex
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

CONNECT_S = 15
COMMAND_S = 120.0
SENDING_S = 3_600.0
"""How long it may take to send the images over a slow line."""
SSH_FAILED = 255
KEPT_S = 60


class DeployError(Exception):
    """The host can't be used as asked; the text is one sentence."""


class Host:
    """One host, over a connection that all commands share. A context manager; afterwards nothing of it is left here."""

    def __init__(self, name: str, ssh: str = "ssh") -> None:
        """`name` is what `ssh` takes: a host, or USER@HOST; `ssh` the program with what it is to be told."""
        self.name = name
        self._words = shlex.split(ssh)
        self._folder = TemporaryDirectory(prefix="lucid-ssh-")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if (Path(self._folder.name) / "control").exists():
            subprocess.run(self._ssh("-O", "exit"), capture_output=True, check=False)
        self._folder.cleanup()

    def _ssh(self, *words: str) -> list[str]:
        control = f"{self._folder.name}/control"
        options = {
            "BatchMode": "yes",
            "ConnectTimeout": CONNECT_S,
            "ServerAliveInterval": 15,
            "ControlMaster": "auto",
            "ControlPersist": KEPT_S,
            "ControlPath": control,
        }
        given = [word for key, value in options.items() for word in ("-o", f"{key}={value}")]
        return [*self._words, *given, *words, self.name]

    def run(self, command: str, given: bytes = b"", within_s: float = COMMAND_S) -> str:
        """Run a shell command there with `given` as its input; what it printed. Raises `DeployError`."""
        try:
            done = subprocess.run(
                [*self._ssh(), command], input=given, capture_output=True, check=False, timeout=within_s
            )
        except subprocess.TimeoutExpired:
            raise DeployError(f"{self.name}: no answer within {within_s:.0f} s to: {_first(command)}") from None
        except FileNotFoundError:
            raise DeployError(f"there is no program {self._words[0]} here") from None
        self._judge(done.returncode, done.stderr or done.stdout, command)
        return done.stdout.decode(errors="replace")

    def feed(self, source: Sequence[str], command: str) -> None:
        """Send what a program here prints into a command there, however much it is. Raises `DeployError`."""
        with subprocess.Popen(source, stdout=subprocess.PIPE) as reading:
            done = subprocess.run(
                [*self._ssh(), command], stdin=reading.stdout, capture_output=True, check=False, timeout=SENDING_S
            )
            if reading.stdout is not None:
                reading.stdout.close()
        self._judge(done.returncode, done.stderr, command)
        if reading.returncode:
            raise DeployError(f"{' '.join(source)[:80]} failed here")

    def send(self, path: Path, command: str) -> None:
        """Send a file's bytes into a command there. Raises `DeployError` and `OSError`."""
        with path.open("rb") as file:
            done = subprocess.run(
                [*self._ssh(), command], stdin=file, capture_output=True, check=False, timeout=SENDING_S
            )
        self._judge(done.returncode, done.stderr, command)

    def collect(self, command: str, path: Path) -> None:
        """Write what a command there prints to a new file here. Raises `DeployError` and `OSError`."""
        with path.open("xb") as file:
            done = subprocess.run(
                [*self._ssh(), command], stdout=file, stderr=subprocess.PIPE, check=False, timeout=SENDING_S
            )
        self._judge(done.returncode, done.stderr, command)

    def follow(self, command: str) -> int:
        """Run a command there with its output passed through; its exit status."""
        return subprocess.run([*self._ssh(), command], check=False, stdin=subprocess.DEVNULL).returncode

    def _judge(self, status: int, said: bytes, command: str) -> None:
        lines = said.decode(errors="replace").strip().splitlines()
        last = lines[-1] if lines else f"status {status}"
        if status == SSH_FAILED:
            raise DeployError(f"{self.name} can't be reached by ssh: {last}")
        if status:
            raise DeployError(f"{self.name}: {_first(command)}: {last}")

    @contextmanager
    def forwarded(self, targets: Mapping[str, tuple[str, int]]) -> Iterator[dict[str, int]]:
        """Ports on loopback here that lead to addresses as the host sees them, by name. Raises `DeployError`."""
        ports = {name: _free_port() for name in targets}
        words = [f"-L127.0.0.1:{ports[name]}:{host}:{port}" for name, (host, port) in targets.items()]
        alone = ["-N", "-o", "ControlPath=none", "-o", "ExitOnForwardFailure=yes", *words]
        # Options that stand first win: this connection is its own, and ends with this block.
        command = [*self._words, *alone, *self._ssh()[len(self._words) :]]
        with ExitStack() as stack:
            process = stack.enter_context(
                subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            )
            stack.callback(process.terminate)
            deadline = time.monotonic() + CONNECT_S
            for port in ports.values():
                while not _listens(port):
                    if process.poll() is not None or time.monotonic() > deadline:
                        raise DeployError(f"{self.name}: its ports can't be brought here by ssh")
                    time.sleep(0.05)
            yield ports


def _first(command: str) -> str:
    line = command.strip().splitlines()[0]
    return line if len(line) <= 100 else f"{line[:97]}..."


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
