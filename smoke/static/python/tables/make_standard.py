"""Derives `standard.json`: the modules and public names of the standard library, by version of Python, on Linux.

Run by hand, seldom, with typeshed-client installed: `python -m smoke.static.python.tables.make_standard DATED`.
Names come from typeshed's stubs; what this interpreter's library has beyond them counts as there in every version.
"""

from __future__ import annotations

import importlib
import json
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FIRST, LAST = 10, 15
_NEVER_LOADED = frozenset({"antigravity", "this", "idlelib", "turtledemo", "lib2to3", "__main__", "test", "ensurepip"})


def main(dated: str) -> None:
    """Write the table to standard output: a name maps to the versions that have it, `*` for all."""
    from typeshed_client import get_search_context, get_stub_names  # noqa: PLC0415 - only this script needs it

    versions = range(FIRST, LAST + 1)
    found: dict[str, dict[str, list[int]]] = {}
    for minor in versions:
        context = get_search_context(version=(3, minor), platform="linux", search_path=[])
        for module in _modules(Path(str(context.typeshed))):
            names = get_stub_names(module, search_context=context)
            if names is None:
                continue
            held = found.setdefault(module, {})
            held.setdefault("", []).append(minor)
            for name, info in names.items():
                if info.is_exported:
                    held.setdefault(name, []).append(minor)
    for module, held in found.items():
        for name in _own(module):
            held.setdefault(name, list(held[""]))
    rows = []
    for module in sorted(found):
        held = found[module]
        there = held.pop("")
        always = sorted(name for name, minors in held.items() if minors == there)
        some = {name: _span(minors) for name, minors in sorted(held.items()) if minors != there}
        rows.append(f"{json.dumps(module)}:{json.dumps([_span(there), ' '.join(always), some], separators=(',', ':'))}")
    head = {"dated": dated, "source": "typeshed", "first": FIRST, "last": LAST}
    print(json.dumps(head)[:-1] + ',"modules":{\n' + ",\n".join(rows) + "\n}}")


def _span(minors: list[int]) -> list[int]:
    """First and last version that has it."""
    return [minors[0], minors[-1]]


def _modules(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*.pyi")):
        parts = path.relative_to(folder).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _own(module: str) -> list[str]:
    if module.partition(".")[0] in _NEVER_LOADED or module.partition(".")[0] not in sys.stdlib_module_names:
        return []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            loaded: Any = importlib.import_module(module)
    except Exception:
        return []
    return [name for name in dir(loaded) if not name.startswith("_") and name.isascii()]


if __name__ == "__main__":
    main(sys.argv[1])
