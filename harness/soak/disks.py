"""Small disks that can be filled: file systems in memory, in a mount namespace of this process's own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SMALL_MIB = 256
_INSIDE = "LUCID_SOAK_MOUNTS"
_WAYS = (("unshare", "--mount"), ("unshare", "--user", "--map-root-user", "--mount"))


def enter_namespace() -> None:
    """Run this program again where it may mount, as root or in a user namespace; where there is no way, return."""
    if os.environ.get(_INSIDE):
        return
    for way in _WAYS:
        try:
            found = subprocess.run([*way, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, check=False)
        except OSError:
            continue
        if found.returncode == 0:
            os.environ[_INSIDE] = "1"
            os.execvp(way[0], [*way, sys.executable, "-m", "harness.soak", *sys.argv[1:]])


@contextmanager
def small_disk(folder: Path) -> Iterator[Path | None]:
    """A small file system at `folder`; None where none can be mounted."""
    folder.mkdir(mode=0o700)
    if not os.environ.get(_INSIDE):
        yield None
        return
    options = f"size={SMALL_MIB}m,mode=700"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
