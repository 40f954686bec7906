"""A layer of an image: its paths, merged from archives of Debian packages, and the archive that an engine loads."""

from __future__ import annotations

import hashlib
import io
import json
import posixpath
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from images.laboratory.packages import members

EPOCH_S = 0


NONROOT = 65532


_LEFT_OUT = ("./usr/share/doc/", "./usr/share/man/", "./usr/share/lintian/", "./usr/share/locale/", "./usr/share/bug/")


@dataclass(frozen=True)
class Item:
    """One path of a layer."""

    info: tarfile.TarInfo
    content: bytes = b""


def merge(archives: Iterable[Path]) -> dict[str, Item]:
    """The packages' files merged, and what Debian's own scripts would have added."""
    items: dict[str, Item] = {}
    for package in archives:
        for member, content in members(package):
            if member.name.startswith(_LEFT_OUT) and not member.name.endswith("/copyright"):
                continue
            add(items, Item(member, content))
    certificates = [
        item.content for name, item in sorted(items.items()) if name.startswith("./usr/share/ca-certificates/")
    ]
    add(items, file_item("./etc/ssl/certs/ca-certificates.crt", b"".join(certificates)))
    people = [("root", 0, "/root"), ("nobody", 65534, "/nonexistent"), ("nonroot", NONROOT, "/home/nonroot")]
    add(
        items,
        file_item("./etc/passwd", "".join(f"{n}:x:{i}:{i}:{n}:{h}:/sbin/nologin\n" for n, i, h in people).encode()),
    )
    add(items, file_item("./etc/group", "".join(f"{n}:x:{i}:\n" for n, i, _ in people).encode()))
    for name, user, mode in (
        ("./root", 0, 0o700),
        ("./home", 0, 0o755),
        ("./home/nonroot", NONROOT, 0o700),
        ("./tmp", 0, 0o1777),
    ):
        add(items, directory_item(name, user, mode))
    for name in ("python", "python3"):
        add(items, link_item(f"./usr/bin/{name}", "python3.11"))
    return items


def add(items: dict[str, Item], item: Item) -> None:
    name = "./" + posixpath.normpath(item.info.name).lstrip("/")
    if name == "./.":
        return
    info = item.info
    info.name = name
    info.mtime = EPOCH_S
    info.uname = info.gname = ""
    info.pax_headers = {}
    if name in items and items[name].info.isdir() and info.isdir():
        return
    items[name] = replace(item, info=info)


def file_item(name: str, content: bytes) -> Item:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(content), 0o644
    return Item(info, content)


def directory_item(name: str, user: int, mode: int) -> Item:
    info = tarfile.TarInfo(name)
    info.type, info.mode, info.uid, info.gid = tarfile.DIRTYPE, mode, user, user
    return Item(info)


def link_item(name: str, target: str) -> Item:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode = tarfile.SYMTYPE, target, 0o777
    return Item(info)


def merged_usr(items: dict[str, Item]) -> dict[str, Item]:
    """Paths as they are on a system whose /bin, /sbin and /lib are links into /usr, as Debian's own are."""
    moved: dict[str, Item] = {}
    for old, item in items.items():
        name = old
        if old.split("/")[1] in ("bin", "sbin", "lib", "lib64"):
            if old.count("/") == 1:
                continue
            item.info.name = name = f"./usr{old[1:]}"
        if item.info.islnk():
            target = "./" + posixpath.normpath(item.info.linkname)
            if target.split("/")[1] in ("bin", "sbin", "lib", "lib64"):
                item.info.linkname = f"./usr{target[1:]}"
        if name not in moved or not item.info.isdir():
            moved[name] = item
    for first in ("bin", "sbin", "lib", "lib64"):
        add(moved, link_item(f"./{first}", f"usr/{first}"))
    return moved


def archive(path: Path, name: str, architecture: str, items: dict[str, Item], settings: Mapping[str, object]) -> Path:
    """Write an image of one layer in the form that `docker load` reads."""
    layer = _tar([items[key] for key in sorted(items)])
    digest = hashlib.sha256(layer).hexdigest()
    config = json.dumps(
        {
            "architecture": architecture,
            "os": "linux",
            "created": "1970-01-01T00:00:00Z",
            "config": settings,
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
            "history": [{"created": "1970-01-01T00:00:00Z", "created_by": "images/laboratory/standin.py"}],
        },
        sort_keys=True,
    ).encode()
    identity = hashlib.sha256(config).hexdigest()
    manifest = json.dumps(
        [{"Config": f"{identity}.json", "RepoTags": [name], "Layers": [f"{digest}/layer.tar"]}]
    ).encode()
    parts = [(f"{identity}.json", config), (f"{digest}/layer.tar", layer), ("manifest.json", manifest)]
    path.write_bytes(_tar([file_item(name, content) for name, content in parts]))
    return path


def _tar(items: Sequence[Item]) -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for item in items:
            tar.addfile(item.info, io.BytesIO(item.content) if item.info.isreg() else None)
    return written.getvalue()
