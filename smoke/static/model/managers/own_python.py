"""What Debian's and Alpine's own Python refuse: environments without ensurepip, installs from outside (PEP 668)."""

from __future__ import annotations

import re

from smoke.static.model.stage import Stage
from smoke.static.regex import regex

_VENV_PACKAGES = regex(r"python3(?:\.\d+)?-(?:venv|full)|pipx|.*(?:poetry|tox|virtualenv).*")


def venv_refusal(stage: Stage, rest: list[str], name: str) -> str:
    """Debian's own Python has no ensurepip unless its package is there."""
    if stage.system != "debian" or not stage.managed or "--without-pip" in rest or own_program(stage, name) is None:
        return ""
    if any(_VENV_PACKAGES.fullmatch(package) for package in stage.packages):
        return ""
    return f"{name} -m venv: Debian's Python has no ensurepip without the package python3-venv"


def own_program(stage: Stage, name: str) -> str | None:
    """Where a program is, if it is the distribution's own."""
    found = stage.surroundings().find(name)
    return found.place if found.place.startswith("/usr/bin/") else None


def managed_refusal(stage: Stage, rest: list[str], shown: str, program: str = "") -> str:
    """PEP 668: the system's own Python is left alone unless pip is told otherwise."""
    if not stage.managed or stage.managed_free or not _marks_its_python(stage):
        return ""
    if stage.environment.get("PIP_BREAK_SYSTEM_PACKAGES", "").lower() in ("1", "true", "yes", "on"):
        return ""
    free = ("--break-system-packages", "-t", "--target", "--prefix", "--root", "--python", "--dry-run")
    if any(word.partition("=")[0] in free or re.match(r"-t.", word) for word in rest):
        return ""
    if own_program(stage, program or shown.partition(" ")[0]) is None:
        return ""
    return f"{shown} install: the system's Python is externally managed (PEP 668), so pip refuses"


def _marks_its_python(stage: Stage) -> bool:
    minor = re.fullmatch(r"3\.(\d+)", stage.package_python)
    if minor is None or stage.python != stage.package_python:
        return False
    return int(minor[1]) >= {"debian": 11, "alpine": 12}.get(stage.system, 99)
