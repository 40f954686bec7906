"""Images without the times of their build: the same commit gives the same image id, whoever builds it and when.

BuildKit since 0.13 can do it by itself (`rewrite-timestamp`); Debian's engine cannot, so what it built is saved,
rewritten and loaded again. `python -m smoke.image.normal ARCHIVE` prints the layers of any `docker save` as they would
be.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import sys
import tarfile
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

EPOCH_S = 0
EPOCH = "1970-01-01T00:00:00Z"
KEPT = ("architecture", "config", "os", "variant")
"""What of an image's configuration says what it is; the rest says how it was built."""
MAX_DOCUMENT = 32 << 20
"""Bytes of a manifest or configuration."""
MAX_LINKS = 16
CHUNK = 1 << 20


@dataclass(frozen=True)
class Layer:
    """A layer without times: its digest, its file and what is in it, by path."""

    digest: str
    path: Path
    entries: dict[str, str] = field(repr=False)

    @property
    def size(self) -> int:
        """Bytes of its archive."""
        return self.path.stat().st_size


@dataclass(frozen=True)
class NormalImage:
    """An image without times."""

    name: str
    identity: str
    config: bytes = field(repr=False)
    layers: tuple[Layer, ...]


def normalize(archive: Path, folder: Path) -> list[NormalImage]:
    """The images of an archive that `docker save` wrote; their layers go to `folder`. Raises OSError and ValueError."""
    images = []
    made: dict[str, Layer] = {}
    with tarfile.open(archive, "r:") as saved:
        for entry in json.loads(_read(saved, "manifest.json")):
            layers = []
            for name in entry["Layers"]:
                real = _resolve(saved, name)
                if real not in made:
                    made[real] = _layer(saved, real, folder)
                layers.append(made[real])
            config = _config(json.loads(_read(saved, entry["Config"])), layers)
            identity = hashlib.sha256(config).hexdigest()
            images += [NormalImage(tag, f"sha256:{identity}", config, tuple(layers)) for tag in entry["RepoTags"]]
    return images


def write(images: list[NormalImage], archive: Path) -> None:
    """Write images as an archive that `docker load` reads, each layer once."""
    with tarfile.open(archive, "w", format=tarfile.GNU_FORMAT) as tar:
        for layer in {layer.digest: layer for image in images for layer in image.layers}.values():
            with layer.path.open("rb") as file:
                _add(tar, f"{layer.digest}/layer.tar", layer.size, file)
        manifest = []
        for image in images:
            name = f"{image.identity.removeprefix('sha256:')}.json"
            _add_bytes(tar, name, image.config)
            layers = [f"{layer.digest}/layer.tar" for layer in image.layers]
            manifest.append({"Config": name, "RepoTags": [image.name], "Layers": layers})
        _add_bytes(tar, "manifest.json", json.dumps(manifest).encode())


def first_difference(one: NormalImage, other: NormalImage) -> str | None:
    """The first thing in which two images differ, if they do."""
    if one.identity == other.identity:
        return None
    for here, there in zip(one.layers, other.layers, strict=False):
        for path in sorted(here.entries.keys() | there.entries.keys()):
            if here.entries.get(path) != there.entries.get(path):
                return path
    return "the configuration"


def _config(config: dict[str, Any], layers: list[Layer]) -> bytes:
    kept = {key: config[key] for key in KEPT if key in config}
    history = [
        {"created": EPOCH, **{key: each[key] for key in ("created_by", "empty_layer") if key in each}}
        for each in config.get("history", ())
    ]
    rootfs = {"type": "layers", "diff_ids": [f"sha256:{layer.digest}" for layer in layers]}
    whole = {**kept, "created": EPOCH, "history": history, "rootfs": rootfs}
    return json.dumps(whole, sort_keys=True, separators=(",", ":")).encode()


def _layer(saved: tarfile.TarFile, name: str, folder: Path) -> Layer:
    """A layer with its entries in order and all times at the epoch; one that is so already keeps its bytes."""
    source = _open(saved, name)
    path = folder / f"{len(list(folder.iterdir()))}.tar"
    with source, tarfile.open(fileobj=source) as layer:
        members = layer.getmembers()
        if sparse := next((member.name for member in members if member.issparse()), None):
            raise ValueError(f"{sparse} in a layer is a sparse file, which no build writes")
        if all(member.mtime == EPOCH_S for member in members):
            source.seek(0)
            with path.open("wb") as kept:
                shutil.copyfileobj(source, kept, CHUNK)
            entries = {_path(member): _fingerprint(layer, member) for member in members}
        else:
            entries = {}
            with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
                # A hard link comes after what it leads to.
                for member in sorted(members, key=lambda each: (each.islnk(), _path(each))):
                    entries[_path(member)] = _fingerprint(layer, member)
                    tar.addfile(_timeless(member), layer.extractfile(member) if member.isreg() else None)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Layer(digest, path, entries)


def _timeless(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """The same entry without time and names of users; what else PAX says of it (capabilities) stays."""
    kept = {key: value for key, value in member.pax_headers.items() if key.startswith("SCHILY.xattr.")}
    timeless = member.replace(mtime=EPOCH_S, uname="", gname="", deep=False)
    timeless.name = _path(member) + ("/" if member.isdir() else "")
    timeless.pax_headers = kept
    return timeless


def _fingerprint(layer: tarfile.TarFile, member: tarfile.TarInfo) -> str:
    file = layer.extractfile(member) if member.isreg() else None
    content = "" if file is None else _digest(file)
    return f"{member.type!r} {member.mode:o} {member.uid}:{member.gid} {member.linkname} {content}"


def _digest(file: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while chunk := file.read(CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def _path(member: tarfile.TarInfo) -> str:
    return member.name.removeprefix("./").rstrip("/")


def _resolve(saved: tarfile.TarFile, name: str) -> str:
    """The member that holds a layer: `docker save` links to those that it wrote before."""
    member = saved.getmember(name)
    for _ in range(MAX_LINKS):
        if not (member.issym() or member.islnk()):
            return name
        parts = member.linkname.split("/") if member.islnk() else [*name.split("/")[:-1], *member.linkname.split("/")]
        resolved: list[str] = []
        for part in parts:
            if part == "..":
                if not resolved:
                    raise ValueError(f"{member.name} leads out of the archive")
                resolved.pop()
            elif part != ".":
                resolved.append(part)
        name = "/".join(resolved)
        member = saved.getmember(name)
    raise ValueError(f"{name} is a link that leads in a circle")


def _open(saved: tarfile.TarFile, name: str) -> IO[bytes]:
    """A regular file of the archive: no link, whose target a reader would have to follow, and none with holes."""
    member = saved.getmember(name)
    file = saved.extractfile(member) if member.isreg() and not member.issparse() else None
    if file is None:
        raise ValueError(f"{name} is not a plain file")
    return file


def _read(saved: tarfile.TarFile, name: str) -> bytes:
    if saved.getmember(name).size > MAX_DOCUMENT:
        raise ValueError(f"{name} is larger than {MAX_DOCUMENT} bytes")
    with _open(saved, name) as file:
        return file.read()


def _add(tar: tarfile.TarFile, name: str, size: int, file: IO[bytes]) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o644
    tar.addfile(info, file)


def _add_bytes(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    _add(tar, name, len(content), io.BytesIO(content))


def main() -> int:
    """Print each image's id and layers; exit status 2 for a file that is no such archive."""
    try:
        with TemporaryDirectory(prefix="lucid-normal-") as folder:
            for image in normalize(Path(sys.argv[1]), Path(folder)):
                print(f"{image.name} {image.identity}")
                for layer in image.layers:
                    print(f"  sha256:{layer.digest} {layer.size}")
    except (IndexError, OSError, ValueError, KeyError, tarfile.TarError) as error:
        print(f"normal: it needs an archive as docker save writes it: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
