"""Whether files are syntax of a version of Python, as ruff judges it: it knows every version, the host's parser one."""

from __future__ import annotations

import json
import os
import sys
import warnings
from collections.abc import Iterable
from functools import cache
from typing import Any

from msgspec import Struct, field

from smoke.static.python.conditions import Version
from smoke.tree import Tree

OLDEST, NEWEST = 7, 15
"""Minor versions of Python 3 that ruff's parser knows."""
LIMIT_S = 30
_FEW = 8
"""Files for which no program is started."""
_MOST_DATA = 1 << 16
_AT_ONCE = 1_000
"""Files that one run is given: a command line has an end."""
_REFUSED = "F404,F406,F407,F622,F701,F702,F704,F706,F707,PLE0115,PLE0117,PLE0118,PLE1142"
"""Rules of ruff for what the compiler refuses and the parser takes: `return` outside of functions, `break`
outside of loops, late `global`."""


class SyntaxProblem(Struct, frozen=True):
    """What Python of that version refuses to load."""

    line: int
    message: str


class Syntax(Struct):
    """Asks ruff once for each file and version."""

    tree: Tree
    _known: dict[tuple[Version, str], SyntaxProblem | None] = field(default_factory=dict)
    trouble: str = ""
    """Why ruff could not be asked; empty while it could."""

    @property
    def able(self) -> bool:
        """Whether ruff can be asked at all."""
        return not self.trouble and bool(_program())

    def problems(self, paths: Iterable[str], version: Version) -> dict[str, SyntaxProblem]:
        """The first problem of each file that this version refuses. Files that ruff cannot read count as fine."""
        wanted = [path for path in paths if (version, path) not in self._known and self.tree.is_file(path)]
        if len(wanted) <= _FEW and version >= sys.version_info[:2]:
            # What this very Python takes, a newer one does too; and a program need not be started for it.
            plain = [path for path in wanted if _compiles(self.tree.data(path))]
            self._known |= {(version, path): None for path in plain}
            wanted = [path for path in wanted if path not in plain]
        for start in range(0, len(wanted), _AT_ONCE):
            self._ask(wanted[start : start + _AT_ONCE], version)
        found = {path: self._known.get((version, path)) for path in paths}
        return {path: problem for path, problem in found.items() if problem is not None}

    def _ask(self, paths: list[str], version: Version) -> None:
        program = _program()
        if self.trouble or not program:
            self.trouble = self.trouble or "ruff, which knows the syntax of every version, is not installed"
            return
        minor = min(max(version[1], OLDEST), NEWEST)
        options = [
            *["check", "--isolated", "--no-cache", "--no-respect-gitignore", "--config", "exclude=[]", "--ignore-noqa"],
            *["--output-format", "json", "--select", _REFUSED, "--target-version", f"py3{minor}"],
        ]
        within = [path for path in paths if path in self.tree.written]
        places = {str(self.tree.root / path): path for path in paths if path not in self.tree.written}
        rows = _answers([program, *options, "--", *places], b"", self.tree) if places else []
        for number, path in enumerate(within):
            # What stands within another file is handed over; the name is for the answer alone.
            name = str(self.tree.root / f"{number}.py")
            rows += _answers([program, *options, "--stdin-filename", name, "-"], self.tree.data(path), self.tree)
            places[name] = path
        if None in rows:
            self.trouble = "ruff, which knows the syntax of every version, gave no answer"
            return
        self._known |= {(version, path): None for path in paths}
        for row in filter(None, rows):
            found = places.get(str(row.get("filename")))
            if found is not None and self._known.get((version, found)) is None:
                line = (row.get("location") or {}).get("row", 0)
                self._known[version, found] = SyntaxProblem(
                    line, str(row.get("message", "")).removeprefix("SyntaxError: ")
                )


def _answers(command: list[str], data: bytes, tree: Tree) -> list[dict[str, Any] | None]:
    """What ruff says, one row a problem; a row of nothing where it does not answer."""
    import subprocess  # noqa: PLC0415 - it takes its time to load, and few trees need it

    try:
        done = subprocess.run(command, input=data, capture_output=True, timeout=LIMIT_S, check=False, cwd=tree.root)
        rows = json.loads(done.stdout or b"null")
    except (OSError, subprocess.SubprocessError, ValueError, RecursionError):
        return [None]
    return rows if isinstance(rows, list) else [None]


def _compiles(data: bytes) -> bool:
    """Whether this Python takes a text of some lines."""
    if len(data) > _MOST_DATA:
        return False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(data, "<tree>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
        return False
    return True


@cache
def _program() -> str:
    beside = os.path.join(os.path.dirname(sys.executable), "ruff")
    if os.access(beside, os.X_OK):
        return beside
    try:
        from ruff import find_ruff_bin  # type: ignore[import-untyped]  # noqa: PLC0415 - an extra

        return str(find_ruff_bin())
    except (ImportError, OSError):
        return ""
