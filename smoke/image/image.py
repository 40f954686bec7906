"""One built image through the Docker API: its settings, its files, and programs run in it."""

from __future__ import annotations

import io
import shutil
import tarfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import Event
from typing import Any

import docker  # type: ignore[import-untyped]
import docker.errors  # type: ignore[import-untyped]

USER = 65532
CAN_NOT_START = 127
SYSTEM = frozenset(
    [
        "bin",
        "boot",
        "dev",
        "etc",
        "lib",
        "lib32",
        "lib64",
        "libx32",
        "media",
        "mnt",
        "proc",
        "run",
        "sbin",
        "sys",
        "tmp",
        "usr",
        "var",
    ]
)
"""Directories of every Linux."""


@dataclass(frozen=True)
class ImagePath:
    """One path of an image, relative to its root."""

    path: str
    kind: str
    mode: int
    size: int


MAX_EXTRACTED = 4 << 30
"""Bytes that are taken out of an image at once; a file beyond them is left."""


class Stream(io.RawIOBase):
    """What an engine sends, as a file that is read once: an image is never in memory as a whole."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._held = b""

    def readable(self) -> bool:
        """It is, and not seekable."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes; fewer at the end only."""
        parts, length = [self._held], len(self._held)
        while size < 0 or length < size:
            chunk = next(self._chunks, None)
            if chunk is None:
                break
            parts.append(chunk)
            length += len(chunk)
        whole = b"".join(parts)
        cut = len(whole) if size < 0 else size
        self._held = whole[cut:]
        return whole[:cut]


class BuiltImage:
    """An image that an engine holds. A context manager: its container, which never runs, is taken away."""

    def __init__(self, client: docker.DockerClient, name: str, ended: Event) -> None:
        """Once `ended` is set, no program starts in it. Raises `docker.errors.ImageNotFound`."""
        self.client = client
        self.name = name
        self.attributes: dict[str, Any] = client.images.get(name).attrs
        self._container: Any = None
        self._running: str | None = None
        self._ended = ended

    def __enter__(self) -> BuiltImage:
        # It never runs, so that it needs no command; an image may have none of its own.
        self._container = self.client.containers.create(self.name, ["none"], platform=self.platform)
        return self

    def __exit__(self, *_: object) -> None:
        self._container.remove(force=True)

    @property
    def platform(self) -> str:
        """What it was built for, whatever was asked for."""
        return f"{self.attributes['Os']}/{self.attributes['Architecture']}"

    @property
    def podman(self) -> bool:
        """Whether the engine is Podman, by its Docker interface."""
        return any("Podman" in each["Name"] for each in self.client.version().get("Components") or ())

    @property
    def config(self) -> dict[str, Any]:
        """Entry point, user, labels and so on."""
        found: dict[str, Any] = self.attributes["Config"]
        return found

    @cached_property
    def files(self) -> list[ImagePath]:
        """Every path of the image."""
        return [
            ImagePath(member.name.rstrip("/"), _kind(member), member.mode, member.size) for member in self._members()
        ]

    @property
    def installed(self) -> list[str]:
        """The directories of the image that are not the system's own."""
        tops = {each.path.partition("/")[0] for each in self.files if "/" in each.path}
        local = any(each.path.startswith("usr/local/") for each in self.files)
        return [*sorted(tops - SYSTEM), *(["usr/local"] if local else [])]

    def extract(self, below: str, folder: Path) -> None:
        """Write the image's regular files below a path into a folder. Raises `InterruptedError` once it ended."""
        stream, _ = self._container.get_archive(below)
        left = MAX_EXTRACTED
        with tarfile.open(fileobj=Stream(stream), mode="r|") as tar:
            for member in tar:
                self._go_on()
                if member.isreg() and not member.issparse() and member.size <= left:
                    left -= member.size
                    target = folder / member.name
                    if not target.resolve().is_relative_to(folder.resolve()):
                        continue
                    target.parent.mkdir(parents=True, exist_ok=True)
                    with target.open("wb") as kept:
                        if (file := tar.extractfile(member)) is not None:
                            shutil.copyfileobj(file, kept)

    def python(self, code: str, given: bytes = b"") -> tuple[int, str]:
        """Run Python in a container as it would run, without network; exit status and output.

        `given` is a tar that is unpacked at /given, in a volume of its own. Raises `InterruptedError` once it ended."""
        self._go_on()
        options: dict[str, Any] = {"volumes": ["/given"]} if given else {}
        container = self.client.containers.create(
            self.name,
            ["-c", code],
            platform=self.platform,
            user=f"{USER}:{USER}",
            read_only=True,
            network_mode="none",
            cap_drop=["ALL"],
            tmpfs={"/tmp": "rw,noexec,nosuid,size=16m"},
            **options,
        )
        self._running = container.id
        try:
            if given:
                container.put_archive("/given", given)
            try:
                container.start()
            except docker.errors.APIError as error:
                return CAN_NOT_START, str(error.explanation or error)
            status = int(container.wait(timeout=600)["StatusCode"])
            return status, container.logs().decode(errors="replace")
        finally:
            self._running = None
            container.remove(force=True, v=True)

    def stop(self, client: docker.DockerClient) -> None:
        """End the program that runs in it, from another thread, whose `client` it is."""
        if (running := self._running) is not None:
            with suppress(docker.errors.APIError):
                client.containers.get(running).kill()

    def _go_on(self) -> None:
        if self._ended.is_set():
            raise InterruptedError(f"{self.name} is no longer looked at")

    def _members(self) -> Iterator[tarfile.TarInfo]:
        with tarfile.open(fileobj=Stream(self._container.export()), mode="r|") as tar:
            yield from tar


def _kind(member: tarfile.TarInfo) -> str:
    return "directory" if member.isdir() else "link" if member.issym() or member.islnk() else "file"
