"""A look-alike of the base image and of the builder, made of Debian's packages, where no image registry is in reach.

`gcr.io/distroless/python3-debian12` is these packages of Debian 12 without a shell; the look-alike has the same names,
files, users and entry point, but it is not Google's build of them. `python -m images.laboratory.standin DIR` writes
two archives that `docker load` reads. The same packages give the same bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import posixpath
import sys
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from images.laboratory.packages import PackageError, fetch, members, native_architecture

BASE = "lucid.invalid/distroless/python3-debian12:nonroot"
BUILDER = "lucid.invalid/python:3.11-slim"
"""Names that no registry answers to, so that nothing can be pulled in their place."""
PACKAGES = [
    "base-files", "netbase", "tzdata", "media-types", "ca-certificates", "libc6", "libssl3", "libgomp1",
    "libstdc++6", "libgcc-s1", "gcc-12-base", "libbz2-1.0", "libdb5.3", "libexpat1", "liblzma5", "libsqlite3-0",
    "libuuid1", "libncursesw6", "libtinfo6", "python3-distutils", "zlib1g", "libcom-err2", "libcrypt1",
    "libgssapi-krb5-2", "libk5crypto3", "libkeyutils1", "libkrb5-3", "libkrb5support0", "libnsl2",
    "libreadline8", "libtirpc3", "libffi8", "libpython3.11-minimal", "libpython3.11-stdlib",
    "python3.11-minimal",
]  # fmt: skip
"""What distroless's Python image is made of (its own list of packages, Debian 12)."""
BUILDER_PACKAGES = [
    "dash",
    "coreutils",
    "libacl1",
    "libattr1",
    "libselinux1",
    "libgmp10",
    "libpcre2-8-0",
    "python3-pip",
]
EPOCH_S = 0
NONROOT = 65532
_LEFT_OUT = ("./usr/share/doc/", "./usr/share/man/", "./usr/share/lintian/", "./usr/share/locale/", "./usr/share/bug/")


@dataclass(frozen=True)
class Item:
    """One path of a layer."""

    info: tarfile.TarInfo
    content: bytes = b""


def make_base(folder: Path) -> Path:
    """The look-alike base for arm64, as an archive in `folder`. Raises `PackageError`."""
    items = merge(fetch(PACKAGES, "arm64", folder / "base"))
    settings = {
        "Entrypoint": ["/usr/bin/python3.11"],
        "User": str(NONROOT),
        "WorkingDir": "/home/nonroot",
        "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8",
                "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt"],
    }  # fmt: skip
    return archive(folder / "base.tar", BASE, "arm64", items, settings)


def make_builder(folder: Path) -> Path:
    """The look-alike builder for this machine, as an archive in `folder`. Raises `PackageError`."""
    architecture = native_architecture()
    items = merge(fetch([*PACKAGES, *BUILDER_PACKAGES], architecture, folder / "builder"))
    add(items, link_item("./bin/sh", "dash"))
    settings = {"Cmd": ["python3"], "Env": ["PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"]}
    return archive(folder / "builder.tar", BUILDER, architecture, items, settings)


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


def main() -> int:
    """Write both archives; exit status 2 when the packages cannot be had."""
    parser = argparse.ArgumentParser(
        description="Make the stand-ins of the base and the builder image as two archives.",
        epilog="Example: python -m images.laboratory.standin build/standin",
    )
    parser.add_argument("folder", type=Path, help="where to write them")
    folder = parser.parse_args().folder
    try:
        with TemporaryDirectory(prefix="lucid-standin-") as work:
            for make in (make_base, make_builder):
                made = make(Path(work))
                target = folder / made.name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(made.read_bytes())
                digest = hashlib.sha256(target.read_bytes()).hexdigest()
                print(f"{target}: {target.stat().st_size / 2**20:.0f} MiB, {digest}")
    except PackageError as error:
        print(f"standin: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
