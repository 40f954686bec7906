"""Why one requirement cannot be met at a step: git or a compiler that it takes, a wheel that there is none of."""

from __future__ import annotations

import posixpath
import re

from smoke.static.model.pins import refused_pin
from smoke.static.model.stage import Stage
from smoke.static.model.wheels import NOT_TO_BE_HAD, without_wheel

_SOURCE_ONLY = frozenset(
    [
        *["dbus-python", "dlib", "evdev", "fasttext", "gssapi", "mod-wsgi", "mysqlclient", "psycopg2", "pyaudio"],
        *["pycairo", "pycrypto", "pycups", "pygobject", "pygraphviz", "pysqlcipher3", "python-ldap", "spidev"],
        *["rpi-gpio", "smbus", "systemd-python", "uwsgi"],
    ]
)
"""Distributions that have no wheel for Linux on PyPI (November 2026): they are compiled where they are installed."""


_HEADERS = {
    "mysqlclient": "mysql|mariadb",
    "psycopg2": "libpq|postgres",
    "python-ldap": "ldap",
    "pycairo": "cairo|gtk|pango",
    "pygraphviz": "graphviz",
    "dbus-python": "dbus",
    "pyaudio": "portaudio",
    "pycups": "cups",
    "gssapi": "krb5",
    "pysqlcipher3": "sqlcipher",
    "systemd-python": "systemd",
}
"""Those that are compiled against a library of the system: what the packages with its headers are called."""


def _is_bare(stage: Stage) -> bool:
    """Whether a stage surely has no headers but those of packages that are named."""
    small = stage.slim or stage.system == "alpine"
    return small and not stage.other_sources and not any("$" in each for each in stage.packages)


def unmet(stage: Stage, requirement: str, elsewhere: bool) -> str:
    """What a requirement takes that the stage lacks: git to fetch it, or a compiler to make it."""
    lost = re.match(r"[\w.-]+(?:\[[^\]]*\])?\s*@\s*file://(/[^\s;#]+)", requirement)
    if lost is not None and is_absent(stage, lost[1]):
        return f"{requirement[:80]} names a file of another machine: there is no {lost[1]} at this step"
    local = re.fullmatch(r"(?:(?:-e|--editable)[ =])?\s*(\.{1,2}/[\w./-]+)(?:\[[\w, -]+\])?", requirement.strip())
    if local is not None and is_absent(stage, stage.path(local[1])):
        return f"{requirement[:80]} names a directory: there is no {stage.path(local[1])} at this step"
    if "git+" in requirement and stage.lacks("git"):
        return f"{requirement.split(' --', maxsplit=1)[0][:80]} needs git, which is not in the image"
    return "" if elsewhere else _uncompiled(stage, requirement)


def _uncompiled(stage: Stage, requirement: str) -> str:
    """Why a distribution cannot be compiled; empty for those that need not be."""
    match = re.match(r"([A-Za-z][\w.-]*)(?:\[[^\]]*\])?\s*(?:[=<>!~].*)?$", requirement)
    name = re.sub(r"[-_.]+", "-", match[1]).lower() if match and ";" not in requirement else ""
    if name in NOT_TO_BE_HAD:
        return f"{name} {NOT_TO_BE_HAD[name]}"
    compiler = not all(stage.lacks(each) for each in ("gcc", "cc", "clang"))
    if clause := refused_pin(name, requirement.strip(), stage.python, stage.libc, compiler=compiler):
        return clause
    if name and not stage.managed and (clause := without_wheel(name, requirement, stage.python, compiler=compiler)):
        return clause
    if name in _HEADERS and compiler and _is_bare(stage) and not re.search(_HEADERS[name], " ".join(stage.packages)):
        return f"{name} has no wheel for Linux, and is compiled against a library whose headers are not in the image"
    if name not in _SOURCE_ONLY or compiler:
        return ""
    return f"{name} has no wheel for Linux, and there is no compiler to make one"


def is_absent(stage: Stage, path: str) -> bool:
    place = posixpath.normpath(path)
    return stage.files.find(place) is None and not stage.files.doubt(place)
