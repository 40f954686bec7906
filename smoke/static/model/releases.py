"""Packages by the release of Debian or Ubuntu: which ones a release no longer has, or not yet.

From packages.debian.org and packages.ubuntu.com (November 2026). What is not listed is not judged."""

from __future__ import annotations

import re

from smoke.static.model.bases.tags import RECENT
from smoke.static.regex import regex

_UBUNTU = frozenset(["focal", "jammy", "noble"])
_DEBIAN = frozenset(["bullseye", "bookworm", "trixie"])
_ALL = _UBUNTU | _DEBIAN
_GONE: dict[str, tuple[frozenset[str], str]] = {
    "python": (_ALL, "python3 or python-is-python3"),
    "python-pip": (_ALL, "python3-pip"),
    "python-dev": (_ALL, "python3-dev"),
    "python-setuptools": (frozenset(["bookworm", "trixie", "jammy", "noble"]), "python3-setuptools"),
    "python3-distutils": (frozenset(["trixie", "noble"]), "python3-setuptools"),
    "netcat": (frozenset(["bookworm", "trixie", "noble"]), "netcat-openbsd"),
    "libgl1-mesa-glx": (frozenset(["trixie", "noble"]), "libgl1"),
    "software-properties-common": (frozenset(["trixie"]), ""),
    "libmysqlclient-dev": (_DEBIAN, "default-libmysqlclient-dev"),
    "mysql-client": (_DEBIAN, "default-mysql-client"),
    "mysql-server": (_DEBIAN, "default-mysql-server"),
    "libasound2": (frozenset(["noble"]), "libasound2t64"),
    "libncurses5": (frozenset(["trixie", "noble"]), "libncurses6"),
    "libssl1.1": (frozenset(["bookworm", "trixie", "jammy", "noble"]), "libssl3"),
    "libpng12-0": (_ALL, "libpng16-16"),
    "libpng12-dev": (_ALL, "libpng-dev"),
    "libtiff5": (frozenset(["bookworm", "trixie", "noble"]), "libtiff6"),
    "libwebp6": (frozenset(["bookworm", "trixie", "jammy", "noble"]), "libwebp7"),
}
"""Packages with the releases that lack them, and what to take instead."""
_PYTHONS = {
    "bullseye": ["3.9"], "bookworm": ["3.11"], "trixie": ["3.13"],
    "focal": ["3.8", "3.9"], "jammy": ["3.10", "3.11"], "noble": ["3.12"],
}  # fmt: skip
_JAVAS = {"bullseye": ["11", "17"], "bookworm": ["17"], "trixie": ["21", "25"]}
_POSTGRES = {
    "bullseye": ["13"], "bookworm": ["15"], "trixie": ["17"],
    "focal": ["12"], "jammy": ["14"], "noble": ["16"],
}  # fmt: skip
_NUMBERED = (
    (regex(r"python(3\.\d+)(?:-(?:dev|venv|minimal))?"), _PYTHONS),
    (regex(r"openjdk-(\d+)-j(?:re|dk)(?:-headless)?"), _JAVAS),
    (regex(r"postgresql(?:-client)?-(\d+)"), _POSTGRES),
)
"""Packages that have a version in their names, with those that each release has."""


def lacks_package(release: str, name: str) -> str:
    """Why a release surely has no package of that name: one clause; empty when nothing speaks against it."""
    name = re.split(r"[=:]", name, maxsplit=1)[0]
    releases, instead = _GONE.get(name, (frozenset(), ""))
    if release in releases or (release == RECENT and releases >= {"bookworm", "trixie"}):
        return f"there is no package {name} in {release}" + (f": it is {instead} there" if instead else "")
    for pattern, known in _NUMBERED:
        match = pattern.fullmatch(name)
        if match is not None and release in known and match[1] not in known[release]:
            return f"there is no package {name} in {release}, which has {' and '.join(known[release])}"
    return ""
