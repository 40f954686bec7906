"""A look-alike of the base image and of the builder, made of Debian's packages, where no image registry is in reach.

`gcr.io/distroless/python3-debian12` is these packages of Debian 12 without a shell; the look-alike has the same names,
files, users and entry point, but it is not Google's build of them. `python -m images.laboratory.standin DIR` writes
two archives that `docker load` reads. The same packages give the same bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from images.laboratory.layer import NONROOT, add, archive, link_item, merge
from images.laboratory.packages import PackageError, fetch, native_architecture

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
