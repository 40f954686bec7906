"""Look-alikes of the two images that a build starts from, made of Debian packages where no registry is in reach.

They carry the names of the real ones in an engine's own store, so that the same Dockerfiles build on them, and a label
that says what they are. The distroless one holds the same packages as the real one; not one byte of it is Google's.
The same packages give the same image id on every machine.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import shutil
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

from images.packages import PackageError, fetch, members, native_architecture

BASE = "gcr.io/distroless/python3-debian12:nonroot"
BUILDER = "python:3.11-slim"
LABEL = "lucid.look-alike"
"""Set on a look-alike, to the name of what it looks like."""

_PYTHON = (
    "libbz2-1.0 libcom-err2 libcrypt1 libdb5.3 libexpat1 libffi8 libgssapi-krb5-2 libk5crypto3 libkeyutils1 libkrb5-3 "
    "libkrb5support0 liblzma5 libncursesw6 libnsl2 libpython3.11-minimal libpython3.11-stdlib libreadline8 "
    "libsqlite3-0 libssl3 libtinfo6 libtirpc3 libuuid1 python3-distutils python3.11-minimal zlib1g"
).split()
_SYSTEM = "base-files ca-certificates gcc-12-base libc6 libgcc-s1 libgomp1 libstdc++6 media-types netbase tzdata".split()
_TOOLS = (
    "coreutils dash findutils libacl1 libattr1 libgmp10 libpcre2-8-0 libselinux1 python3-lib2to3 python3-pip "
    "python3-pkg-resources python3-setuptools python3-wheel python3.11"
).split()

_UNSHIPPED = ("usr/share/man/", "usr/share/info/", "usr/share/locale/", "usr/share/lintian/", "usr/share/doc/")
_SHIPPED = "/copyright"
_PASSWD = "root:x:0:0:root:/root:/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin\n"
_GROUP = "root:x:0:\nnobody:x:65534:\ntty:x:5:\nstaff:x:50:\n"
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_BUNDLE = "etc/ssl/certs/ca-certificates.crt"
_EPOCH = "1970-01-01T00:00:00Z"


@dataclass(frozen=True)
class Recipe:
    """What a look-alike is made of."""

    image: str
    packages: tuple[str, ...]
    config: dict[str, object]


DISTROLESS = Recipe(
    BASE,
    tuple(sorted(_SYSTEM + _PYTHON)),
    {
        "Entrypoint": ["/usr/bin/python3.11"],
        "Env": [f"PATH={_PATH}", f"SSL_CERT_FILE=/{_BUNDLE}", "LANG=C.UTF-8"],
        "User": "65532",
        "WorkingDir": "/home/nonroot",
    },
)
SLIM = Recipe(
    BUILDER,
    tuple(sorted(_SYSTEM + _PYTHON + _TOOLS)),
    {"Cmd": ["python3"], "Env": [f"PATH={_PATH}", "LANG=C.UTF-8"]},
)


class Layer:
    """One file system, merged from packages in a fixed order, written as a tar without a trace of when or where."""

    def __init__(self) -> None:
        self._entries: dict[str, tuple[tarfile.TarInfo, bytes]] = {}

    def merge(self, package: Path) -> None:
        """Add a package's files. A directory that is there already stays as it was."""
        for member, content in members(package):
            name = member.name.removeprefix("./").rstrip("/")
            if not name or name == "." or (f"{name}/".startswith(_UNSHIPPED) and not name.endswith(_SHIPPED)):
                continue
            if member.isdir() and name in self._entries:
                continue
            member.name = name
            if member.islnk():
                member.linkname = member.linkname.removeprefix("./")
            self._entries[name] = (member, content)

    def directory(self, name: str, mode: int = 0o755, owner: int = 0) -> None:
        """Add or change a directory."""
        self._add(name, tarfile.DIRTYPE, mode=mode, owner=owner)

    def file(self, name: str, content: bytes) -> None:
        """Add a file that everybody may read."""
        self._add(name, tarfile.REGTYPE, content)

    def link(self, name: str, target: str) -> None:
        """Add a symbolic link."""
        self._add(name, tarfile.SYMTYPE, target=target)

    def contents(self, prefix: str, suffix: str) -> list[bytes]:
        """What is in the files below `prefix` that end in `suffix`, in the order of their names."""
        names = sorted(name for name in self._entries if name.startswith(prefix) and name.endswith(suffix))
        return [self._entries[name][1] for name in names]

    def tar(self) -> bytes:
        """The layer: parents before children, hard links after what they point to."""
        written = io.BytesIO()
        with tarfile.open(fileobj=written, mode="w", format=tarfile.GNU_FORMAT) as archive:
            for name in sorted(self._entries, key=lambda name: (self._entries[name][0].islnk(), name)):
                member, content = self._entries[name]
                member.uname = member.gname = ""
                archive.addfile(member, io.BytesIO(content) if member.isreg() else None)
        return written.getvalue()

    def _add(
        self, name: str, kind: bytes, content: bytes = b"", target: str = "", mode: int = 0o644, owner: int = 0
    ) -> None:
        member = tarfile.TarInfo(name)
        member.type, member.size, member.linkname, member.mode = kind, len(content), target, mode
        member.uid = member.gid = owner
        self._entries[name] = (member, content)


def archive(recipe: Recipe, architecture: str, folder: Path) -> tuple[str, Path]:
    """Write a look-alike as an archive that `docker load` takes; its image id and path. Raises `PackageError`."""
    packages = fetch(recipe.packages, architecture, folder / architecture)
    layer = Layer()
    for package in packages:
        layer.merge(package)
    _finish(layer)
    body = layer.tar()
    config = json.dumps(
        {
            "architecture": architecture,
            "os": "linux",
            "created": _EPOCH,
            "config": {**recipe.config, "Labels": {LABEL: recipe.image}},
            "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(body).hexdigest()]},
            "history": [{"created": _EPOCH, "comment": "\n".join(path.name for path in packages)}],
        },
        sort_keys=True,
    ).encode()
    identity = hashlib.sha256(config).hexdigest()
    manifest = [{"Config": f"{identity}.json", "RepoTags": [recipe.image], "Layers": ["layer.tar"]}]
    path = folder / f"{identity}.tar"
    with tarfile.open(path, "w") as whole:
        for name, content in (
            ("layer.tar", body),
            (f"{identity}.json", config),
            ("manifest.json", json.dumps(manifest).encode()),
        ):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            whole.addfile(member, io.BytesIO(content))
    return f"sha256:{identity}", path


def _finish(layer: Layer) -> None:
    """What the packages' own scripts would have made."""
    layer.file("etc/passwd", f"{_PASSWD}nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n".encode())
    layer.file("etc/group", f"{_GROUP}nonroot:x:65532:\n".encode())
    layer.file("etc/nsswitch.conf", b"hosts: files dns\n")
    layer.file(_BUNDLE, b"".join(layer.contents("usr/share/ca-certificates/mozilla/", ".crt")))
    layer.directory("home/nonroot", 0o700, 65532)
    layer.directory("root", 0o700)
    layer.directory("tmp", 0o1777)
    layer.directory("var/tmp", 0o1777)
    for name in ("python", "python3"):
        layer.link(f"usr/bin/{name}", "python3.11")


def main() -> int:
    """Write both look-alikes as archives into a folder, and print their ids."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where the archives go")
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory() as work:
            for recipe, architecture in ((DISTROLESS, "arm64"), (SLIM, native_architecture())):
                identity, path = archive(recipe, architecture, Path(work))
                shutil.move(path, folder / path.name)
                print(f"{recipe.image} ({architecture}): {identity} in {folder / path.name}")
    except (PackageError, OSError) as error:
        print(f"standin: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
