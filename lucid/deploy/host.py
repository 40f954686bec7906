"""A host reached by the operator's own `ssh`: commands, files in and out, and ports brought here."""

from __future__ import annotations

import re
import shlex
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from threading import Thread, Timer
from types import TracebackType
from typing import IO, Self

from lucid.chain.printable import printable
from lucid.services.process.ports import free_ports

CONNECT_S = 15
COMMAND_S = 120.0
SENDING_S = 3_600.0
"""How long it may take to send the images over a slow line, or to read a large store on a slow card."""
SSH_FAILED = 255
MAX_SAID_BYTES = 4 << 20
"""How much a command there may print; a host that prints more is not the one that was installed."""
MAX_LINE_BYTES = 64 << 10
MAX_SHOWN = 500
KEPT_FREE_BYTES = 512 << 20
"""What a file that comes from there leaves free on the disk here."""
KEPT_S = 60
PAUSE_S = 1.0


_HOST = re.compile(r"(?:[^\s\x00-\x1f@-][^\s\x00-\x1f@]*@)?[^\s\x00-\x1f@-][^\s\x00-\x1f@]*")


class DeployError(Exception):
    """The host cannot be used as asked; the text is one sentence."""


class Unreachable(DeployError):
    """The host gave no answer: what it does meanwhile is not known."""


def shown(said: bytes) -> str:
    """What a host said, such that a terminal acts on nothing in it."""
    parts = re.split(r"([\n\t])", said.decode(errors="replace"))
    return "".join([part if part in ("\n", "\t") else printable(part) for part in parts])


class _Reader(Thread):
    """Copies a pipe of a process until its end; what says more than `limit` bytes is ended."""

    def __init__(self, process: subprocess.Popen[bytes], pipe: IO[bytes], sink: IO[bytes], limit: int) -> None:
        super().__init__(daemon=True)
        self.limit = limit
        self.excess = False
        self.failure: OSError | None = None
        self._process = process
        self._pipe = pipe
        self._sink = sink

    def run(self) -> None:
        """See `Thread`."""
        left = self.limit
        try:
            with self._pipe as pipe:
                while part := pipe.read1(MAX_LINE_BYTES):  # type: ignore[attr-defined]
                    left -= len(part)
                    if left < 0:
                        self.excess = True
                        break
                    self._sink.write(part)
        except OSError as error:
            self.failure = error
        if self.excess or self.failure is not None:
            self._process.kill()


class Host:
    """One host, over a connection that all commands share. A context manager; afterwards nothing of it is left here."""

    def __init__(self, name: str, ssh: str = "ssh") -> None:
        """`name` is what `ssh` takes: a host, or USER@HOST; `ssh` the program and its options."""
        if _HOST.fullmatch(name) is None:
            raise DeployError(
                f"{name!r} is not a host that ssh takes: HOST or USER@HOST, neither beginning with a dash"
            )
        self.name = name
        self._words = shlex.split(ssh)
        self._folder = TemporaryDirectory(prefix="lucid-ssh-")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if (Path(self._folder.name) / "control").exists():
            with suppress(OSError, subprocess.TimeoutExpired):
                subprocess.run(self._ssh("-O", "exit"), capture_output=True, check=False, timeout=CONNECT_S)
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
        """Run a shell command there with `given` as its input; what it printed, safe to show. Raises `DeployError`."""
        said = BytesIO()
        self._exchange(command, lambda pipe: pipe.write(given), within_s, said, MAX_SAID_BYTES)
        return shown(said.getvalue())

    def pour(self, write: Callable[[IO[bytes]], object], command: str) -> None:
        """Let `write` write into a command there, however much it is. Raises `DeployError`, and what `write` does."""
        self._exchange(command, write, SENDING_S, BytesIO(), MAX_SAID_BYTES)

    def send(self, path: Path, command: str) -> None:
        """Send a file's bytes into a command there. Raises `DeployError` and `OSError`."""
        with path.open("rb") as file:
            self.pour(lambda pipe: shutil.copyfileobj(file, pipe), command)

    def collect(self, command: str, path: Path, given: bytes = b"") -> None:
        """Write what a command there prints to a new file here, which leaves the disk some room.

        Raises `DeployError` and `OSError`.
        """
        room = max(0, shutil.disk_usage(path.parent).free - KEPT_FREE_BYTES)
        with path.open("xb") as file:
            self._exchange(command, lambda pipe: pipe.write(given), SENDING_S, file, room)

    def follow(self, command: str) -> int:
        """Run a command there and show its output as it comes; its exit status. Raises `DeployError`."""
        with self._translated(command, 0):
            process = subprocess.Popen(
                [*self._ssh(), command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            )
        assert process.stdout is not None, "it was asked for"
        try:
            while line := process.stdout.readline(MAX_LINE_BYTES):
                print(shown(line.rstrip(b"\r\n")), flush=True)
            return process.wait()
        finally:
            process.kill()
            process.wait()
            process.stdout.close()

    def _exchange(
        self, command: str, write: Callable[[IO[bytes]], object], within_s: float, sink: IO[bytes], limit: int
    ) -> None:
        """Run a command there, let `write` write into it, and put what it prints, up to `limit` bytes, into `sink`."""
        with self._translated(command, within_s):
            process = subprocess.Popen(
                [*self._ssh(), command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
        assert process.stdin and process.stdout and process.stderr, "they were asked for"
        errors = BytesIO()
        readers = (
            _Reader(process, process.stdout, sink, limit),
            _Reader(process, process.stderr, errors, MAX_SAID_BYTES),
        )
        timer = Timer(within_s, process.kill)
        for thread in (*readers, timer):
            thread.start()
        try:
            # A pipe that broke shows in the status, with what was said.
            with suppress(BrokenPipeError):
                write(process.stdin)
            with suppress(BrokenPipeError):
                process.stdin.close()
            process.wait()
        except BaseException:
            process.kill()
            process.wait()
            raise
        finally:
            late = timer.finished.is_set()
            timer.cancel()
            for reader in readers:
                reader.join()
        for reader in readers:
            if reader.failure is not None:
                raise reader.failure
            if reader.excess:
                raise DeployError(f"{self.name}: more than {reader.limit} bytes are answered to: {_first(command)}")
        if late:
            with self._translated(command, within_s):
                raise subprocess.TimeoutExpired(command, within_s)
        said = errors.getvalue() or (sink.getvalue() if isinstance(sink, BytesIO) else b"")
        self._judge(process.returncode, said, command)

    def await_reachable(self, within_s: float) -> None:
        """Wait until it answers again. Raises `Unreachable`."""
        deadline = time.monotonic() + within_s
        while True:
            try:
                self.run("true")
                return
            except Unreachable:
                if time.monotonic() > deadline:
                    raise
            time.sleep(PAUSE_S)

    @contextmanager
    def at_the_end(self, command: str, within_s: float) -> Iterator[None]:
        """Have a command run there when the block ends, and also when this program or the connection is gone before.

        Raises `DeployError` when it fails, unless the block raised something itself.
        """
        # The end of its input is the sign: it comes however this end goes.
        script = f"trap '' HUP PIPE; echo ready; cat >/dev/null; {{ {command}\n}} >/dev/null 2>&1"
        with self._translated(command, within_s):
            process = self._waiting(script)

        def end() -> None:
            with suppress(BrokenPipeError):
                process.stdin.close()  # type: ignore[union-attr]
            try:
                process.wait(within_s)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.returncode:
                # Once more, for what it says.
                self.run(command, within_s=within_s)

        try:
            yield
        except DeployError as error:
            try:
                end()
            except DeployError as second:
                raise DeployError(f"{error}; and then {second}") from None
            raise
        except BaseException:
            with suppress(DeployError):
                end()
            raise
        end()

    def _waiting(self, script: str) -> subprocess.Popen[bytes]:
        """Start a script there that says `ready` first. Raises `Unreachable`."""
        # In a session of its own, Ctrl-C does not reach it.
        process = subprocess.Popen(
            [*self._ssh(), script],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        assert process.stdin is not None and process.stdout is not None, "they were asked for"
        with process.stdout as said:
            ready = said.readline(MAX_LINE_BYTES)
        if ready.strip() != b"ready":
            process.stdin.close()
            process.wait()
            raise Unreachable(f"{self.name} cannot be reached by ssh: it ended with {process.returncode}")
        return process

    @contextmanager
    def _translated(self, command: str, within_s: float) -> Iterator[None]:
        try:
            yield
        except subprocess.TimeoutExpired:
            raise Unreachable(f"{self.name}: no answer within {within_s:.0f} s to: {_first(command)}") from None
        except FileNotFoundError as error:
            if error.filename != self._words[0]:
                raise
            raise DeployError(f"there is no program {self._words[0]} here") from None
        except PermissionError as error:
            raise DeployError(f"{self._words[0]} cannot be run here: {error.strerror}") from None

    def _judge(self, status: int, said: bytes, command: str) -> None:
        # docker-compose 1 ends what it says with the bare status of what it ran.
        text = shown(said[-MAX_LINE_BYTES:].replace(b"\r", b"\n"))  # ssh ends its lines with both
        lines = [line for line in text.splitlines() if any(map(str.isalpha, line))]
        last = lines[-1][:MAX_SHOWN] if lines else f"status {status}"
        if status == SSH_FAILED:
            raise Unreachable(f"{self.name} cannot be reached by ssh: {last}")
        if status:
            raise DeployError(f"{self.name}: {_first(command)}: {last}")

    @contextmanager
    def forwarded(self, targets: Mapping[str, tuple[str, int]]) -> Iterator[dict[str, int]]:
        """Ports on loopback here that lead to addresses as the host sees them, by name. Raises `DeployError`."""
        ports = dict(zip(targets, free_ports(len(targets)), strict=True))
        words = [f"-L127.0.0.1:{ports[name]}:{host}:{port}" for name, (host, port) in targets.items()]
        alone = ["-N", "-o", "ControlPath=none", "-o", "ExitOnForwardFailure=yes", *words]
        # Options that stand first win: this connection is its own, and ends with this block.
        command = [*self._words, *alone, *self._ssh()[len(self._words) :]]
        with ExitStack() as stack:
            # A file takes however much ssh says; a pipe that nobody reads would stop it.
            said = stack.enter_context(TemporaryFile())
            process = stack.enter_context(
                subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=said)
            )
            stack.callback(process.terminate)
            deadline = time.monotonic() + CONNECT_S
            for port in ports.values():
                while not _listens(port):
                    if process.poll() is not None or time.monotonic() > deadline:
                        said.seek(0)
                        lines = shown(said.read(MAX_LINE_BYTES)).strip().splitlines() or ["no answer"]
                        raise DeployError(f"{self.name}: its ports cannot be brought here by ssh: {lines[-1]}")
                    time.sleep(0.05)
            yield ports


def _first(command: str) -> str:
    """The line of a script by which an operator knows it."""
    dull = ("set -", "cd ", "umask ", "mkdir ", "stale()")
    lines = [line.strip() for line in command.strip().splitlines()]
    line = next((each for each in lines if not each.startswith(dull) or " && " in each), lines[0])
    return line if len(line) <= 100 else f"{line[:97]}..."


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
