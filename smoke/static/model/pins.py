"""Requirements that no release meets: versions that never came out, or that another Python or C library needs.

From the releases on PyPI (2026-11-29). Only what is certain is judged: a release that is newer than the newest one
here may have come since, and so may one more of a series that there is.
"""

from __future__ import annotations

import re

_LAST: dict[str, dict[int, int]] = {
    "celery": {1: 0, 2: 5, 3: 1, 4: 4, 5: 7},
    "click": {6: 7, 7: 1, 8: 3},
    "django": {1: 11, 2: 2, 3: 2, 4: 2, 5: 2, 6: 1},
    "flask": {0: 12, 1: 1, 2: 3, 3: 1},
    "gunicorn": {19: 10, 20: 1, 21: 2, 22: 0, 23: 0, 24: 1, 25: 3, 26: 2, 27: 0},
    "jinja2": {2: 11, 3: 1},
    "numpy": {1: 26, 2: 5},
    "pandas": {0: 25, 1: 5, 2: 3, 3: 1},
    "pydantic": {0: 32, 1: 10, 2: 14},
    "redis": {2: 10, 3: 5, 4: 6, 5: 3, 6: 4, 7: 4, 8: 1},
    "requests": {0: 14, 1: 2, 2: 34},
    "sqlalchemy": {0: 9, 1: 4, 2: 1},
    "tensorflow": {1: 15, 2: 20},
    "urllib3": {1: 26, 2: 6},
    "werkzeug": {0: 16, 1: 0, 2: 3, 3: 1},
}
"""The last minor version of each major one; the last of the newest says only that it is the newest."""
_PYTHONS: dict[str, tuple[tuple[str, int], ...]] = {
    "click": (("8.2", 10),),
    "django": (("3.2", 6), ("4.0", 8), ("5.0", 10), ("6.0", 12)),
    "flask": (("2.1", 7), ("2.3", 8), ("3.1", 9)),
    "ipython": (("8.0", 8), ("8.13", 9), ("8.19", 10), ("9.0", 11)),
    "matplotlib": (("3.8", 9), ("3.10", 10)),
    "networkx": (("3.0", 8), ("3.2", 9), ("3.3", 10), ("3.5", 11)),
    "numpy": (("1.22", 8), ("1.25", 9), ("2.1", 10), ("2.3", 11)),
    "pandas": (("2.0", 8), ("2.1", 9), ("3.0", 11)),
    "pillow": (("10.0", 8), ("11.0", 9), ("12.0", 10)),
    "scikit-learn": (("1.2", 8), ("1.4", 9), ("1.7", 10)),
    "scipy": (("1.11", 9), ("1.14", 10), ("1.16", 11)),
    "werkzeug": (("2.3", 8), ("3.1", 9)),
}
"""Versions since which a distribution needs a minor version of Python, as its metadata says."""
_NEVER_MUSL = frozenset(
    [
        *["jaxlib", "mediapipe", "onnxruntime", "open3d", "playwright", "tensorflow", "tensorflow-cpu", "torch"],
        *["ray", "torchaudio", "torchvision", "triton"],
    ]
)
"""Distributions with wheels for glibc alone and without a source on PyPI."""
_MUSL_COMPILED = frozenset(
    [
        *["catboost", "confluent-kafka", "lightgbm", "llvmlite", "numba", "opencv-contrib-python", "opencv-python"],
        *["opencv-contrib-python-headless", "opencv-python-headless", "pyqt5", "scikit-learn", "sentencepiece"],
        *["tables", "xgboost"],
    ]
)
"""Distributions with wheels for glibc alone and a source on PyPI, which a compiler has to be there for."""


def refused_pin(name: str, requirement: str, python: str, libc: str, *, compiler: bool = True) -> str:
    """Why pip finds no release for a requirement; empty when nothing speaks against it."""
    if libc == "musl" and name in _NEVER_MUSL:
        return f"{name} has no wheel for musl (Alpine), and no source on PyPI"
    if libc == "musl" and name in _MUSL_COMPILED and not compiler:
        return f"{name} has no wheel for musl (Alpine), and there is no compiler to make one"
    asked = re.fullmatch(r"[\w.-]+(?:\[[^\]]*\])?\s*(==|>=|~=)\s*(\d+(?:\.\d+)*)(?:\.\*)?\s*(?:,.*)?", requirement)
    if asked is None:
        return ""
    parts = [int(each) for each in asked[2].split(".")]
    last = _LAST.get(name, {})
    minor = parts[1] if len(parts) > 1 else 0
    if asked[1] == "==" and parts[0] in last and parts[0] != max(last) and minor > last[parts[0]]:
        return f"there is no {name} {asked[2]}: {parts[0]}.{last[parts[0]]} was the last of its major version"
    least = max((need for since, need in _PYTHONS.get(name, ()) if _from(since) <= (*parts, 0)), default=0)
    own = re.fullmatch(r"3\.(\d+)", python)
    if own is not None and int(own[1]) < least:
        return f"{name} {asked[2]} needs Python 3.{least}, and this stage has {python}"
    return ""


def _from(version: str) -> tuple[int, ...]:
    return tuple(int(each) for each in version.split("."))
