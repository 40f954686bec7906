"""Debian packages without installing them: fetched with a private state of apt and unpacked or read where they lie.

`python -m images.laboratory.packages PACKAGE PROGRAM DIR` unpacks one there and prints the path of its program.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

FETCH_S = 300.0
APT = ["apt-get", "-o", "Acquire::Retries=3"]
"""By itself apt gives up at the first connection that breaks."""


class PackageError(Exception):
    """Packages cannot be had: no apt, no network, or no such package. The text is one sentence."""


def native_architecture() -> str:
    """Debian's name of this machine's architecture, such as `amd64`. Raises `PackageError`."""
    return _run(["dpkg", "--print-architecture"]).strip()


def fetch(names: Sequence[str], architecture: str, folder: Path) -> list[Path]:
    """Download exactly these packages, newest version, from the machine's own sources; paths in the order of `names`.

    The machine's own apt and dpkg know nothing of it. Raises `PackageError`.
    """
    options = _private_state(architecture, folder)
    # One source of several that does not know the architecture must not spoil the rest: what counts is the download.
    _run([*APT, *options, "update"], check=False)
    archives = folder / "archives"
    archives.mkdir(parents=True, exist_ok=True)
    _run([*APT, *options, "download", *names], cwd=archives)
    found = {path.name.partition("_")[0]: path for path in sorted(archives.glob("*.deb"))}
    return [found[name] for name in names]


def fetch_closure(names: Sequence[str], architecture: str, folder: Path) -> list[Path]:
    """Download these packages and all that they depend on, as for a machine that has nothing. Raises `PackageError`."""
    options = _private_state(architecture, folder)
    _run([*APT, *options, "update"], check=False)
    install = ["install", "--yes", "--no-install-recommends", "--download-only"]
    _run([*APT, *options, *install, *names])
    return sorted((folder / "cache/archives").glob("*.deb"))


def fetch_missing(names: Sequence[str], folder: Path) -> list[Path]:
    """Download these packages and what they depend on, as far as this machine lacks it. Raises `PackageError`."""
    archives = folder / "archives"
    (archives / "partial").mkdir(parents=True, exist_ok=True)
    options = ["-o", f"Dir::Cache::archives={archives}", "-o", "APT::Sandbox::User=root"]
    command = [*APT, *options, "install", "--yes", "--no-install-recommends", "--download-only", *names]
    try:
        _run(command)
    except PackageError:
        _run([*APT, "update"], check=False)  # a bare machine has no lists, or old ones
        _run(command)
    return sorted(archives.glob("*.deb"))


def unpack(archives: Sequence[Path], folder: Path) -> None:
    """Unpack packages into `folder`; none of their scripts runs. Raises `PackageError`."""
    folder.mkdir(parents=True, exist_ok=True)
    for archive in archives:
        _run(["dpkg-deb", "--extract", str(archive), str(folder)])


def unpack_program(package: str, name: str, folder: Path) -> Path:
    """A program of a package, run from `folder` with the libraries that this machine lacks. Raises `PackageError`."""
    unpack(fetch_missing([package], folder / "packages"), folder / "root")
    return wrap(folder / "root", name, folder)


def libraries(root: Path) -> list[Path]:
    """Where a tree of unpacked packages has its libraries."""
    return [path for each in ("usr/lib", "lib") for path in (root / each).glob("*-linux-gnu")]


def wrap(root: Path, name: str, folder: Path, settings: Mapping[str, str] = MappingProxyType({})) -> Path:
    """Write a script into `folder` that runs a program of unpacked packages, with their libraries and `settings`."""
    wrapper = folder / name
    held = {"LD_LIBRARY_PATH": ":".join(map(str, libraries(root))), **settings}
    variables = " ".join(f"{key}={shlex.quote(value)}" for key, value in held.items())
    program = root / "usr/bin" / name
    # What this machine has installed already was not unpacked.
    path = program if program.exists() else Path("/usr/bin") / name
    wrapper.write_text(f'#!/bin/sh\n{variables} exec {shlex.quote(str(path))} "$@"\n')
    wrapper.chmod(0o755)
    return wrapper


def members(archive: Path) -> Iterator[tuple[tarfile.TarInfo, bytes]]:
    """Every file, directory and link in a package with its content. Raises `PackageError`."""
    command = ["dpkg-deb", "--fsys-tarfile", str(archive)]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE) as reading,
        tarfile.open(fileobj=reading.stdout, mode="r|") as tree,
    ):
        for member in tree:
            file = tree.extractfile(member) if member.isreg() else None
            yield member, file.read() if file is not None else b""
    if reading.returncode:
        raise PackageError(f"{archive.name} cannot be read")


def _private_state(architecture: str, folder: Path) -> list[str]:
    """Options that keep apt away from the machine's own state."""
    for name in ("state/lists/partial", "cache/archives/partial"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    status = folder / "state/status"
    status.touch()
    settings = {
        "APT::Architecture": architecture,
        "APT::Architectures": architecture,
        "APT::Sandbox::User": "root",
        "Acquire::Languages": "none",
        "Dir::State": folder / "state",
        "Dir::State::status": status,
        "Dir::Cache": folder / "cache",
    }
    return [word for key, value in settings.items() for word in ("-o", f"{key}={value}")]


def _run(command: Sequence[str], cwd: Path | None = None, check: bool = True) -> str:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
    try:
        done = subprocess.run(
            command, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=FETCH_S
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PackageError(f"{command[0]}: {error}") from None
    if check and done.returncode:
        words = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise PackageError(f"{' '.join(command[:1])} {command[-1]}: {words[-1] if words else done.returncode}")
    return done.stdout


def main() -> int:
    """Exit status 2 when the package cannot be had."""
    package, name, folder = sys.argv[1:]
    try:
        print(unpack_program(package, name, Path(folder).resolve()))
    except PackageError as error:
        print(f"packages: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
