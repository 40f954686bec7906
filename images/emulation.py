"""arm64 programs on a machine of another architecture: qemu, registered with the kernel and taken away again."""

from __future__ import annotations

import platform
import subprocess
from pathlib import Path

from images.packages import fetch, native_architecture, unpack

BINFMT = Path("/proc/sys/fs/binfmt_misc")
NAME = "lucid-aarch64"
_QEMU = "usr/bin/qemu-aarch64-static"
_MAGIC = r"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00"
_MASK = r"\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff"


def works() -> bool:
    """Whether this machine runs arm64 programs: natively, or because an emulator is registered."""
    if platform.machine() in ("aarch64", "arm64"):
        return True
    return any(_runs_arm64(entry) for entry in BINFMT.glob("*") if entry.name not in ("register", "status"))


def register(folder: Path) -> bool:
    """Unpack qemu into `folder` and register it; whether binfmt_misc had to be mounted for that.

    The kernel keeps the program open (flag F), so that containers need no qemu inside. Raises OSError,
    `PackageError` and CalledProcessError.
    """
    mounted = not (BINFMT / "register").exists()
    if mounted:
        subprocess.run(["mount", "-t", "binfmt_misc", "binfmt_misc", str(BINFMT)], check=True)
    unpack(fetch(["qemu-user-static"], native_architecture(), folder), folder / "programs")
    (BINFMT / "register").write_text(f":{NAME}:M::{_MAGIC}:{_MASK}:{folder / 'programs' / _QEMU}:F", encoding="ascii")
    return mounted


def unregister(mounted: bool) -> None:
    """Take away what `register` did. Nothing happens when it is away."""
    entry = BINFMT / NAME
    if entry.exists():
        entry.write_text("-1", encoding="ascii")
    if mounted and (BINFMT / "register").exists():
        subprocess.run(["umount", str(BINFMT)], check=True)


def _runs_arm64(entry: Path) -> bool:
    text = entry.read_text(encoding="utf-8", errors="replace")
    return text.startswith("enabled") and "magic 7f454c46020101" in text and "0200b700" in text
