"""A real browser for the tests of pages: this machine's, or Debian's Chromium unpacked into a folder."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from pathlib import Path

from images.laboratory.packages import fetch_missing, libraries, unpack, wrap

NAMES = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""No window, and no question to its maker's hosts."""
FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>/usr/share/fonts</dir><dir>{root}/usr/share/fonts</dir><cachedir>{root}/cache</cachedir></fontconfig>
"""
HANGS_S = 300.0


class Browser:
    """A program that shows pages."""

    def __init__(self, program: str) -> None:
        self.program = program

    def shown(self, url: str, profile: Path, for_ms: int, *options: str) -> str:
        """What a page has become once its scripts have run for so many milliseconds of its own time."""
        command = [self.program, *OPTIONS, *options]
        command += [f"--user-data-dir={profile}", f"--virtual-time-budget={for_ms}", "--dump-dom", url]
        return subprocess.run(command, capture_output=True, text=True, timeout=HANGS_S, check=True).stdout


def find_browser(folder: Path) -> Browser:
    """This machine's, or one that is unpacked into `folder` by whoever comes first. Raises `PackageError`."""
    for found in filter(None, map(shutil.which, NAMES)):
        return Browser(found)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "chromium").exists():
            _unpack(folder)
    return Browser(str(folder / "chromium"))


def _unpack(folder: Path) -> None:
    root = folder / "root"
    unpack(fetch_missing(["chromium", "fonts-dejavu-core"], folder / "packages"), root)
    shutil.rmtree(folder / "packages")
    (folder / "fonts.conf").write_text(FONTS.format(root=root))
    # The package's own script takes its paths from the root of the system.
    (root / "usr/bin/chromium").unlink()
    os.symlink(root / "usr/lib/chromium/chromium", root / "usr/bin/chromium")
    # PulseAudio's libraries are looked for where only its own are.
    found = [each for library in libraries(root) for each in (library, library / "pulseaudio")]
    settings = {"LD_LIBRARY_PATH": ":".join(map(str, found)), "FONTCONFIG_FILE": str(folder / "fonts.conf")}
    wrap(root, "chromium", folder, settings)
