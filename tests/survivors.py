"""Mutants that no test notices, held against those that are explained: `python -m tests.survivors` after `mutmut run`.

`tests/survivors.toml` has for each the function, the line as it is and as the mutant has it, and why no test can tell
the two apart. Names of mutants are numbers that shift with every change, so they are not used.
"""

from __future__ import annotations

import subprocess
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

EXPLAINED = Path(__file__).with_suffix(".toml")


class Survivor(NamedTuple):
    """A change that no test noticed: in which function, what became of which line."""

    function: str
    before: str
    after: str


def explained(path: Path = EXPLAINED) -> dict[Survivor, str]:
    """The survivors that are known, and why."""
    known = tomllib.loads(path.read_text("utf-8"))["survivor"]
    return {Survivor(each["function"], each["before"], each["after"]): each["why"] for each in known}


def survived(results: str) -> list[str]:
    """The mutants in what `mutmut results` prints that lived, or that no test ran."""
    lines = (line.strip().rpartition(": ") for line in results.splitlines())
    return [name for name, _, fate in lines if fate in ("survived", "no tests", "suspicious")]


def survivor(name: str, shown: str) -> Survivor:
    """A mutant by what `mutmut show` prints of it."""
    lines = [line for line in shown.splitlines() if not line.startswith(("---", "+++"))]
    before, after = (" ".join(line[1:].strip() for line in lines if line.startswith(sign)) for sign in "-+")
    return Survivor(function_of(name), before, after)


def function_of(name: str) -> str:
    """`lucid.a.x_f__mutmut_1` is of `lucid.a.f`, and `lucid.a.xǁCǁm__mutmut_2` of `lucid.a.C.m`."""
    place, _, last = name.rpartition("__mutmut_")[0].rpartition(".")
    return f"{place}.{last.removeprefix('xǁ').replace('ǁ', '.') if last.startswith('xǁ') else last.removeprefix('x_')}"


def told(found: Iterable[Survivor], known: dict[Survivor, str]) -> tuple[str, bool]:
    """What is said of those that were found, and whether each is explained."""
    lines, missing = [], 0
    for each in sorted(set(found)):
        why = known.get(each)
        missing += why is None
        lines += [f"{each.function}: {why or 'NOT EXPLAINED'}", f"  - {each.before}", f"  + {each.after}"]
    count = len(lines) // 3
    return "\n".join([*lines, f"{count} survivors, {missing} of them not explained in {EXPLAINED.name}"]), not missing


def main() -> int:
    """List what survived; 1 if one of them is not explained."""
    results = _mutmut("results")
    text, whole = told((survivor(name, _mutmut("show", name)) for name in survived(results)), explained())
    print(text)
    return 0 if whole else 1


def _mutmut(*words: str) -> str:
    return subprocess.run(["mutmut", *words], capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    sys.exit(main())
