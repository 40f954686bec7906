"""Pins for which PyPI has no wheel for a version of Python: pip has to compile them, or finds nothing at all.

From the files of each release on PyPI (November 2026). Each row is on the safe side: what is not below it is not
judged.
"""

from __future__ import annotations

import re

_FIRST: dict[str, dict[str, str]] = {
    "numpy": {"3.10": "1.21", "3.11": "1.23", "3.12": "1.26", "3.13": "2.1", "3.14": "2.3"},
    "pandas": {"3.10": "1.3", "3.11": "1.5", "3.12": "2.1", "3.13": "2.2.3", "3.14": "2.3"},
    "scipy": {"3.10": "1.7", "3.11": "1.9", "3.12": "1.11", "3.13": "1.14", "3.14": "1.16"},
    "scikit-learn": {"3.10": "1.0", "3.11": "1.1", "3.12": "1.3", "3.13": "1.5", "3.14": "1.7"},
    "matplotlib": {"3.10": "3.4", "3.11": "3.6", "3.12": "3.8", "3.13": "3.9"},
    "psycopg2-binary": {"3.10": "2.9.1", "3.11": "2.9.4", "3.12": "2.9.6", "3.13": "2.9.10", "3.14": "2.9.11"},
    "pillow": {"3.10": "8.3", "3.11": "9.2", "3.12": "10.0.1", "3.13": "10.4", "3.14": "11.3"},
    "lxml": {"3.10": "4.6", "3.11": "4.9", "3.12": "4.9.3", "3.13": "5.2"},
    "aiohttp": {"3.10": "3.8", "3.11": "3.8.2", "3.12": "3.9", "3.13": "3.10"},
    "grpcio": {"3.10": "1.41", "3.11": "1.49", "3.12": "1.58", "3.13": "1.66"},
    "greenlet": {"3.10": "1.1", "3.11": "1.1.3", "3.12": "3.0", "3.13": "3.1"},
    "uvloop": {"3.11": "0.17", "3.12": "0.18", "3.13": "0.20"},
    "asyncpg": {"3.10": "0.24", "3.11": "0.26", "3.12": "0.29", "3.13": "0.30"},
}
"""The first version with a wheel, or one a little before it, by the version of Python."""
_ONLY_WHEELS: dict[str, dict[str, str]] = {
    "torch": {"3.10": "1.11", "3.11": "1.13", "3.12": "2.2", "3.13": "2.5"},
    "tensorflow": {"3.10": "2.8", "3.11": "2.12", "3.12": "2.16", "3.13": "2.20"},
}
"""The same of those that have no source on PyPI: pip finds no such version."""

NOT_TO_BE_HAD = {
    "pkg-resources": "is a part of setuptools, and no distribution: Ubuntu's pip freeze lists it",
    "sklearn": "is no distribution that can be installed: it is scikit-learn",
    "pil": "is no distribution: it is pillow",
    "opencv": "is no distribution: it is opencv-python, or opencv-python-headless",
    "sqlite3": "is of the standard library, and no distribution",
    "tkinter": "is of the standard library, and no distribution",
    "pypiwin32": "needs pywin32, which has wheels for Windows alone",
    "windows-curses": "has wheels for Windows alone",
    "pywin32": "has wheels for Windows alone",
    "pywinpty": "is for Windows alone",
    "winloop": "is for Windows alone",
    "wmi": "needs pywin32, which has wheels for Windows alone",
    "pyobjc": "is for macOS alone",
    "pyobjc-core": "is for macOS alone",
}
"""Names that pip cannot install on Linux, whatever the version."""


def without_wheel(name: str, requirement: str, python: str, *, compiler: bool) -> str:
    """Why pip cannot install a pin in this Python; empty when nothing speaks against it."""
    pinned = re.search(r"==\s*([\w.!]+)\s*$", requirement)
    if pinned is None:
        return ""
    from packaging.version import InvalidVersion, Version  # noqa: PLC0415 - it takes its time to load

    for rows, clause in (
        (_ONLY_WHEELS, "has no wheel for Python {}, and no source on PyPI"),
        ({} if compiler else _FIRST, "has no wheel for Python {}, and there is no compiler to make one"),
    ):
        first = rows.get(name, {}).get(python)
        try:
            if first is not None and Version(pinned[1]) < Version(first):
                return f"{name} {pinned[1]} " + clause.format(python)
        except InvalidVersion:
            return ""
    return ""
