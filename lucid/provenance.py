"""What made a result: the version of Lucid, the commit, the Python that runs it."""

from __future__ import annotations

import platform
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from msgspec import Struct

from lucid import __version__
from lucid.commit import commit


class Provenance(Struct, frozen=True, kw_only=True):
    """`commit` is a short hash, with `+` after it if tracked files differ from it; empty if nothing says it. `python`
    says too whether some modules are compiled (package_build.py)."""

    lucid: str
    commit: str
    python: str


@cache
def provenance() -> Provenance:
    """What is running now."""
    return Provenance(
        lucid=__version__,
        commit=commit(Path(__file__).resolve().parents[1]),
        python=f"{platform.python_implementation()} {platform.python_version()}{', compiled' if is_compiled() else ''}",
    )


def is_compiled() -> bool:
    """Whether the machines that run are compiled ones."""
    found = find_spec("lucid.chain.hashing")
    return found is not None and found.origin is not None and not found.origin.endswith(".py")
