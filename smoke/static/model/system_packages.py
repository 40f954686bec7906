"""Packages of the system that a RUN installs and removes: what they bring to the stage, and take with them."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence

from smoke.static.model.doubt import DoubtCause
from smoke.static.model.filesystem import PathEntry
from smoke.static.model.install import Install
from smoke.static.model.operands import read_operands
from smoke.static.model.packages import packages_bring
from smoke.static.model.stage import Stage

MANAGERS = {
    "apt-get": "debian",
    "apt": "debian",
    "apk": "alpine",
    "yum": "fedora",
    "dnf": "fedora",
    "microdnf": "fedora",
}


_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/etc", "/var", "/opt")


def follow_packages(stage: Stage, name: str, rest: Sequence[str], line: int) -> None:
    """What a package manager installs, as far as the lists know."""
    wanted = next((place for place, word in enumerate(rest) if word in ("install", "add")), None)
    if wanted is None:
        _taken_away(stage, name, rest)
        return
    valued = frozenset(["-t", "--target-release", "--virtual", "-o", "--option", "-X", "--repository", "-p", "--root"])
    _, _, names = read_operands([*rest[:wanted], *rest[wanted + 1 :]], valued)
    names = [each for each in names if not each.startswith(".")] if name == "apk" else names
    recommends = not any(word in ("--no-install-recommends",) or "Install-Recommends=" in word for word in rest)
    brought = packages_bring(MANAGERS[name], [each for each in names if "$" not in each], recommends=recommends)
    reason = f"packages were installed in line {line}"
    stage.packages = (*stage.packages, *names)
    for place, word in enumerate(rest[:-1]):
        if word in ("--virtual", "-t") and name == "apk":
            stage.virtual[rest[place + 1]] = tuple(names)
    for path in brought.programs:
        stage.files.add(path, PathEntry("file", mode=0o755, line=line))
    unknown = brought.unknown or [each for each in names if "$" in each]
    for directory in _SYSTEM if unknown else ("/usr/lib", "/usr/share", "/lib", "/etc", "/var", "/usr/include"):
        stage.files.suspect(directory, reason, DoubtCause.PACKAGES)
    if unknown:
        stage.users_known = False
    if any(posixpath.basename(path) == "python3" for path in brought.programs):
        _system_python(stage, line)
    of_python = [each for each in names if re.match(r"py(?:thon)?3-(?!pip$|dev$|venv$|full$)", each)]
    apart = bool(stage.sites) and stage.sites[-1].startswith("/usr/local/lib/python")
    if of_python and stage.sites and not apart:  # an image's own Python does not look where packages put theirs
        doubt = f"what the packages {', '.join(of_python[:3])} of line {line} bring is not known"
        stage.installs.append(Install(line, directory=stage.sites[-1], doubt=doubt))
        stage.files.suspect(stage.sites[-1], doubt, DoubtCause.PACKAGES)


def _taken_away(stage: Stage, name: str, rest: Sequence[str]) -> None:
    """The programs of packages that are named to be removed."""
    if not {"remove", "purge", "del", "autoremove", "erase"} & {*rest}:
        return
    names = [word for word in rest if not word.startswith("-") and "$" not in word]
    grouped = [each for word in names for each in stage.virtual.get(word, ())]
    gone = [each for each in (*names, *grouped) if each in stage.packages]
    for path in packages_bring(MANAGERS[name], gone, recommends=False).programs:
        stage.files.remove(path)
    left = list(stage.packages)
    for each in grouped:
        left.remove(each)
    stage.packages = tuple(left)


def _system_python(stage: Stage, line: int) -> None:
    """The distribution's own Python, where the stage had none."""
    if stage.python:
        return
    stage.python = version = stage.package_python
    stage.managed = True
    if not version:
        stage.files.suspect(
            "/usr/bin", f"the Python of line {line} is of a version that is not known", DoubtCause.PACKAGES
        )
    else:
        stage.files.add(f"/usr/bin/python{version}", PathEntry("file", mode=0o755, line=line))
    if stage.system == "alpine":
        stage.sites = (f"/usr/lib/python{version}/site-packages",)
    else:
        stage.sites = (f"/usr/local/lib/python{version}/dist-packages", "/usr/lib/python3/dist-packages")
