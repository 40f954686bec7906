"""Images on their way to a host: from the engine here, from an archive, or from a registry; looked at first."""

from __future__ import annotations

import gzip
import io
import json
import os
import shlex
import shutil
import subprocess
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from lucid.deploy.host import DeployError, Host
from lucid.deploy.release import IMAGES, LATEST

PULL_S = 1_800.0
PLATFORM = "linux/arm64"
MAX_JSON = 8 << 20
"""Bytes of a manifest or configuration in an archive: real ones have some thousand."""
_UNREADABLE = (OSError, tarfile.TarError, ValueError, KeyError, TypeError, EOFError, RecursionError)
"""What reading a file of an archive raises: links that lead in a circle and JSON nested without end among them."""
LOAD = "gzip -dc | docker load --quiet"


@dataclass(frozen=True)
class LocalImage:
    """An image here: its id, and the platform that it is for."""

    identity: str
    platform: str


def here(names: Sequence[str]) -> dict[str, LocalImage]:
    """Images in this machine's engine; those that it lacks are left out. Raises `DeployError`."""
    found = {}
    form = "{{.Id}} {{.Os}}/{{.Architecture}}"
    for name in names:
        try:
            done = subprocess.run(
                ["docker", "image", "inspect", "--format", form, name], capture_output=True, text=True, check=False
            )
        except OSError:
            raise DeployError(
                "there is no docker here to send images with: name --images or a --registry, or --keep-images"
            ) from None
        if done.returncode == 0:
            found[name] = LocalImage(*done.stdout.split())
        elif "no such image" not in done.stderr.lower():
            lines = done.stderr.strip().splitlines() or ["no reason given"]
            raise DeployError(f"the images cannot be read here: {lines[-1]}")
    return found


def in_archive(path: Path) -> dict[str, LocalImage]:
    """The images in an archive that `docker save` wrote. Raises `DeployError`."""
    with _opened(path) as tar:
        return {name: found for entry in _entries(tar, path) for name, found in _named(tar, entry, path)}


def there(host: Host, names: Iterable[str]) -> dict[str, str]:
    """The ids of images on the host; those that it lacks are left out. Raises `DeployError`."""
    script = "".join(
        f"echo {shlex.quote(name)}=$(docker image inspect --format '{{{{.Id}}}}' {shlex.quote(name)} 2>/dev/null)\n"
        for name in names
    )
    lines = (line.rpartition("=") for line in host.run(script).splitlines())
    return {name: identity for name, _, identity in lines if identity}


def chosen(
    held: Mapping[str, LocalImage], before: Mapping[str, str], mongodb: str, native: str, where: str
) -> list[str]:
    """Which images to send, of those `held` in one place, to a host that has those `before`. Raises `DeployError`.

    MongoDB goes only where there is none, and in the host's own kind (`native`): it is not part of a release.
    """
    names = [f"{name}:{LATEST}" for name in IMAGES.values()]
    for name in names:
        if name in held and held[name].platform != PLATFORM:
            raise DeployError(f"{name} {where} is for {held[name].platform}; it must be for {PLATFORM}")
        if name not in held and name not in before:
            raise DeployError(f"{name} is neither {where} nor on the host: build it, or name --images or a --registry")
    fresh = [name for name in names if name in held and before.get(name) != held[name].identity]
    if mongodb in held and mongodb not in before and held[mongodb].platform == native:
        fresh.append(mongodb)
    return fresh


def stream(host: Host, names: Sequence[str]) -> None:
    """Send images from this machine's engine to the host's. Raises `DeployError`."""

    def write(pipe: IO[bytes]) -> None:
        with subprocess.Popen(["docker", "save", *names], stdout=subprocess.PIPE) as saving:
            assert saving.stdout is not None, "it was asked for"
            try:
                with gzip.GzipFile(fileobj=pipe, mode="wb", compresslevel=1) as packed:
                    shutil.copyfileobj(saving.stdout, packed)
            except BaseException:
                saving.kill()
                raise
        if saving.returncode:
            raise DeployError("docker save failed here")

    host.pour(write, LOAD)
    _arrived(host, names)


def send_archive(host: Host, path: Path, names: Sequence[str]) -> None:
    """Send those images of an archive to the host's engine, and no other that is in it. Raises `DeployError`."""

    def write(pipe: IO[bytes]) -> None:
        with _opened(path) as tar, gzip.GzipFile(fileobj=pipe, mode="wb", compresslevel=1) as packed:
            _copy(tar, _entries(tar, path), names, packed)

    host.pour(write, LOAD)
    _arrived(host, names)


def pull_command(registry: str) -> str:
    """The command that fetches the four images from a registry under the names that the Compose file has.

    Raises `DeployError` for what no registry is called.
    """
    if registry.startswith("-") or not registry.isprintable():
        raise DeployError(f"--registry: {registry!r} must be a host and a path that do not begin with a dash")
    lines = []
    for name in IMAGES.values():
        source = shlex.quote(f"{registry.rstrip('/')}/{name.partition('/')[2]}:{LATEST}")
        lines.append(f"docker pull --quiet --platform {PLATFORM} {source} && docker tag {source} {name}:{LATEST}")
    return " &&\n".join(lines)


def _arrived(host: Host, names: Sequence[str]) -> None:
    """By the host's own word: ids of an archive need not be those that its engine gives."""
    now = there(host, names)
    if missing := [name for name in names if name not in now]:
        raise DeployError(f"{host.name}: {missing[0]} was sent and is not there")


def _opened(path: Path) -> tarfile.TarFile:
    try:
        return tarfile.open(path)
    except (OSError, tarfile.TarError, EOFError) as error:
        raise _no_archive(path, error) from None


def _no_archive(path: Path, why: object) -> DeployError:
    return DeployError(f"{path} is not an archive of images as docker save writes it: {why}")


def _read(tar: tarfile.TarFile, name: str) -> Any:
    """A JSON file of an archive. Raises what tarfile and json do, and `ValueError` for one that is too large."""
    member = tar.extractfile(name)
    data = b"null" if member is None else member.read(MAX_JSON + 1)
    if len(data) > MAX_JSON:
        raise ValueError(f"{name} is larger than {MAX_JSON} bytes")
    return json.loads(data)


def _entries(tar: tarfile.TarFile, path: Path) -> list[dict[str, Any]]:
    try:
        entries = _read(tar, "manifest.json") or []
        if any(not isinstance(entry["Config"], str) or not isinstance(entry["Layers"], list) for entry in entries):
            raise ValueError("manifest.json names no layers")
        return list(entries)
    except _UNREADABLE as error:
        raise _no_archive(path, error) from None


def _named(tar: tarfile.TarFile, entry: dict[str, Any], path: Path) -> list[tuple[str, LocalImage]]:
    try:
        config = _read(tar, entry["Config"]) or {}
        if not isinstance(config, dict):
            raise ValueError(f"{entry['Config']} is not a configuration")
    except _UNREADABLE as error:
        raise _no_archive(path, error) from None
    # Docker 25 and later keep it as blobs/sha256/..., those before as the hash and .json.
    identity = f"sha256:{entry['Config'].rpartition('/')[2].removesuffix('.json')}"
    found = LocalImage(identity, f"{config.get('os', '')}/{config.get('architecture', '')}")
    return [(name, found) for name in entry.get("RepoTags") or ()]


def _copy(tar: tarfile.TarFile, entries: list[dict[str, Any]], names: Sequence[str], out: gzip.GzipFile) -> None:
    """Write an archive of only those images, in the form that every Docker reads."""
    wanted = set(names)
    kept = [
        {"Config": entry["Config"], "RepoTags": tags, "Layers": entry["Layers"]}
        for entry in entries
        if (tags := sorted(wanted & set(entry.get("RepoTags") or ())))
    ]
    needed = {str(path) for entry in kept for path in (entry["Config"], *entry["Layers"])}
    with tarfile.open(fileobj=out, mode="w|") as written:
        for member in tar:
            if member.name not in needed:
                continue
            # A layer may be a link to another's file: what it leads to is written, under both names.
            try:
                data = tar.extractfile(member)
            except RecursionError as error:
                raise _no_archive(Path(str(tar.name)), error) from None
            if data is not None:
                _add(written, member.name, data)
        _add(written, "manifest.json", io.BytesIO(json.dumps(kept).encode()))


def _add(tar: tarfile.TarFile, name: str, data: IO[bytes]) -> None:
    info = tarfile.TarInfo(name)
    info.size = data.seek(0, os.SEEK_END)
    data.seek(0)
    tar.addfile(info, data)
