"""A look-alike Pi for the trial of `lucid deploy`: a host with sshd, Docker's client and Compose, in a container.

It shares this machine's engine and network, so what it starts are containers beside it; sshd listens on loopback
alone.
"""

from __future__ import annotations

import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

from images.laboratory.engine import DockerEngine, EngineError
from images.laboratory.layer import add, archive, directory_item, file_item, link_item, merge, merged_usr
from images.laboratory.packages import PackageError, fetch_closure, native_architecture
from lucid.services.process.ports import free_ports

PI = "lucid.invalid/pi:latest"
PACKAGES = [
    "openssh-server", "docker.io", "docker-compose", "bash", "dash", "coreutils", "grep", "mawk", "gzip", "tar",
    "base-passwd", "login", "procps", "libc-bin", "python3-setuptools",
]  # fmt: skip
READY_S = 30.0


def make_pi(folder: Path, public_key: str) -> Path:
    """The host's image, which lets in who has the key, as an archive in `folder`. Raises `PackageError`."""
    items = merge(fetch_closure(PACKAGES, native_architecture(), folder / "pi"))
    people = {"root": ("0:0", "/root", "/bin/bash"), "sshd": ("100:65534", "/run/sshd", "/usr/sbin/nologin")}
    passwd = "".join(f"{name}:x:{ids}::{home}:{shell}\n" for name, (ids, home, shell) in people.items())
    add(items, file_item("./etc/passwd", passwd.encode()))
    add(items, file_item("./etc/shadow", b"root:*:19000:0:99999:7:::\nsshd:*:19000:0:99999:7:::\n"))
    add(items, link_item("./bin/sh", "dash"))
    add(items, link_item("./usr/bin/awk", "mawk"))
    add(items, link_item("./var/run", "../run"))
    for name in ("./run/sshd", "./root/.ssh", "./etc/ssh"):
        add(items, directory_item(name, 0, 0o700 if "root" in name else 0o755))
    keys = file_item("./root/.ssh/authorized_keys", public_key.encode())
    keys.info.mode = 0o600
    add(items, keys)
    settings = {"Cmd": ["/bin/bash"], "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]}
    return archive(folder / "pi.tar", PI, native_architecture(), merged_usr(items), settings)


class Pi:
    """A host that runs: `ssh` is the command that reaches it as HOST `localhost`. A context manager."""

    def __init__(self, engine: DockerEngine, folder: Path) -> None:
        """`folder` gets the keys; the engine's socket is what the host's Docker is."""
        self.engine = engine
        self.folder = folder
        [self.port] = free_ports(1)
        self._name = f"lucid-pi-{self.port}"

    @property
    def ssh(self) -> str:
        """What `lucid deploy --ssh` is told."""
        known = f"-o UserKnownHostsFile={self.folder / 'known'} -o StrictHostKeyChecking=accept-new"
        return f"ssh -F none -p {self.port} -l root -i {self.folder / 'login'} {known}"

    def __enter__(self) -> Self:
        """Raises `EngineError`."""
        for name in ("login", "host"):
            subprocess.run(
                ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "trial", "-f", str(self.folder / name)],
                check=True,
            )
        with TemporaryDirectory(prefix="lucid-pi-") as work:
            try:
                made = make_pi(Path(work), (self.folder / "login.pub").read_text())
            except PackageError as error:
                raise EngineError(str(error)) from None
            self.engine.docker("load", "--quiet", "--input", str(made))
        sshd = ["/usr/sbin/sshd", "-D", "-e", "-f", "/dev/null", "-p", str(self.port), "-h", "/etc/ssh/host"]
        options = ["ListenAddress=127.0.0.1", "UsePAM=no", "PermitRootLogin=prohibit-password", "UseDNS=no"]
        place = self.engine.host.removeprefix("unix://")
        try:
            self.engine.docker(
                *("create", "--name", self._name, "--network", "host", "--volume", f"{place}:/run/docker.sock"),
                *("--tmpfs", "/run/sshd:mode=755", PI, *sshd, *(word for each in options for word in ("-o", each))),
            )
            self.engine.docker("cp", str(self.folder / "host"), f"{self._name}:/etc/ssh/host")
            self.engine.docker("start", self._name)
            deadline = time.monotonic() + READY_S
            while True:
                with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                    return self
                if time.monotonic() > deadline:
                    raise EngineError(f"sshd does not start: {self.log()[-500:]}")
                time.sleep(0.1)
        except BaseException:
            self.__exit__(None, None, None)
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.engine.docker("rm", "--force", "--volumes", self._name, check=False)
        self.engine.docker("rmi", PI, check=False)

    def log(self) -> str:
        """What sshd said."""
        done = subprocess.run(
            ["docker", "logs", self._name], env=self.engine.environment, capture_output=True, text=True, check=False
        )
        return done.stderr
