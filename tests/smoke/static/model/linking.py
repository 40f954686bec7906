"""Commands that link programs, at a stage with the C library of Debian."""

from __future__ import annotations

from smoke.static.model.native import follow
from tests.smoke.static.model.staged import stage


def linked(line: str, files: dict[str, str], toolchain: str = "go", **given: str) -> list[str]:
    """Programs that a command links with the C library of its stage."""
    made = stage("debian:12", files)
    made.toolchain = toolchain
    name, *rest = line.split()
    follow(made, name, rest, 3, given)
    return [path for path, entry in made.files.entries.items() if entry.libc]
