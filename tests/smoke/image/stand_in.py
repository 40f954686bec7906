"""An engine that holds one image as a tar, and runs Python in it by this machine's: for what needs no isolation."""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker.errors  # type: ignore[import-untyped]

HEALTHY: dict[str, Any] = {
    "User": "65532:65532",
    "ExposedPorts": {"8084/tcp": {}},
    "Labels": {"version": "1"},
    "Entrypoint": ["/usr/bin/python3"],
    "Cmd": ["-m", "shop.main"],
    "Healthcheck": {"Test": ["CMD", "/usr/bin/python3", "-m", "shop.probe"]},
}
FILES = {
    "usr/bin/python3": b"\x7fELF",
    "opt/code/shop/__init__.py": b"",
    "opt/code/shop/main.py": b"import json\n",
    "opt/libraries/h11-0.16.0.dist-info/METADATA": b"Name: h11\n",
}


def tar_of(files: dict[str, bytes], modes: dict[str, int] | None = None) -> bytes:
    """An archive of files and the directories above them."""
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as tar:
        for above in sorted({str(parent) for name in files for parent in Path(name).parents} - {"."}):
            info = tarfile.TarInfo(above)
            info.type, info.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(info)
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(data), (modes or {}).get(name, 0o644)
            tar.addfile(info, io.BytesIO(data))
    return written.getvalue()


class Container:
    """One that never runs, or runs Python once."""

    id = "c1"

    def __init__(self, engine: Engine, words: list[str]) -> None:
        self._engine, self._words = engine, words
        self._status, self._said = 0, b""
        engine.containers_left += 1

    def export(self) -> Iterator[bytes]:
        archive = self._engine.archive
        yield from (archive[start : start + 1000] for start in range(0, len(archive), 1000))

    def get_archive(self, below: str) -> tuple[Iterator[bytes], dict[str, int]]:
        return self.export(), {}

    def put_archive(self, path: str, data: bytes) -> None:
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            tar.extractall(self._engine.folder / path.strip("/"), filter="data")

    def start(self) -> None:
        if self._engine.refuses:
            raise docker.errors.APIError("no such program", explanation="exec: python: not found")
        folder = self._engine.folder
        code = self._words[1].replace("/given", f"{folder}/given")
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=folder,
            env={"PYTHONPATH": f"{folder}/opt/code"},
            capture_output=True,
            check=False,
        )
        self._status, self._said = done.returncode, done.stdout + done.stderr

    def wait(self, timeout: int) -> dict[str, int]:
        return {"StatusCode": self._status}

    def logs(self) -> bytes:
        return self._said

    def kill(self) -> None:
        self._engine.killed += 1

    def remove(self, **_: bool) -> None:
        self._engine.containers_left -= 1


class Engine:
    """The part of `docker.DockerClient` that the image checks use."""

    def __init__(
        self,
        folder: Path,
        files: dict[str, bytes] | None = None,
        config: dict[str, Any] | None = None,
        modes: dict[str, int] | None = None,
        component: str = "Engine",
    ) -> None:
        held = FILES if files is None else files
        self.folder, self.archive, self.component = folder, tar_of(held, modes), component
        self.config = HEALTHY if config is None else config
        self.refuses, self.containers_left, self.killed = False, 0, 0
        with tarfile.open(fileobj=io.BytesIO(self.archive)) as tar:
            tar.extractall(folder, filter="data", members=[each for each in tar if ".." not in each.name])
        self.images = self.containers = self

    def get(self, name: str) -> Any:
        if name == "c1":
            return Container(self, [])
        if name != "shop:1":
            raise docker.errors.ImageNotFound(f"no {name}")
        self.attrs = {
            "Os": "linux",
            "Architecture": "arm64",
            "Config": self.config,
            "Size": 50_000_000,
            "Id": "sha256:0",
        }
        return self

    def create(self, name: str, words: list[str], **_: Any) -> Container:
        return Container(self, words)

    def version(self) -> dict[str, Any]:
        return {"Components": [{"Name": self.component}], "Version": "27", "Os": "linux", "Arch": "arm64"}

    def close(self) -> None:
        """Nothing is open."""
