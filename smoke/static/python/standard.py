"""The standard library by version of Python: which modules it has, and which public names they have."""

from __future__ import annotations

import json
import sys
from functools import cache
from pathlib import Path
from typing import Any

from smoke.static.python.conditions import Version

_FIRST_KNOWN = 10
_NEW = {
    "graphlib": 9, "zoneinfo": 9,
}  # fmt: skip
"""Modules that came before the table begins, with the minor version that first had them."""
_NEW_NAMES = {
    "asyncio": {"to_thread": 9}, "contextlib": {"aclosing": 10}, "dataclasses": {"KW_ONLY": 10},
    "functools": {"cache": 9, "cached_property": 8, "singledispatchmethod": 8}, "importlib.resources": {"files": 9},
    "inspect": {"get_annotations": 10}, "itertools": {"pairwise": 10}, "math": {"lcm": 9, "nextafter": 9, "ulp": 9},
    "random": {"randbytes": 9}, "types": {"NoneType": 10, "UnionType": 10, "EllipsisType": 10, "GenericAlias": 9},
    "typing": {"Annotated": 9, "TypeAlias": 10, "ParamSpec": 10, "Concatenate": 10, "TypeGuard": 10,
               "Literal": 8, "Final": 8, "Protocol": 8, "TypedDict": 8, "final": 8, "runtime_checkable": 8,
               "is_typeddict": 10, "ParamSpecArgs": 10, "ParamSpecKwargs": 10},
    "importlib": {"metadata": 8},
}  # fmt: skip
"""Names that came before the table begins."""
_GONE = {"macpath": 8, "dummy_threading": 9, "formatter": 10, "parser": 10, "symbol": 10}
"""Modules that went before the table begins, with the minor version that first lacked them."""
_ABSTRACT = frozenset(
    [
        *["Awaitable", "AsyncGenerator", "AsyncIterable", "AsyncIterator", "ByteString", "Callable", "Collection"],
        *["Container", "Coroutine", "Generator", "Hashable", "ItemsView", "Iterable", "Iterator", "KeysView"],
        *["Mapping", "MappingView", "MutableMapping", "MutableSequence", "MutableSet", "Reversible", "Sequence"],
        *["Set", "Sized", "ValuesView"],
    ]
)
"""Names of `collections.abc` that `collections` had until 3.9."""


@cache
def _table() -> dict[str, Any]:
    text = Path(__file__).with_name("tables").joinpath("standard.json").read_text("utf-8")
    table: dict[str, Any] = json.loads(text)
    return table


def has_module(name: str, version: Version | None) -> bool:
    """Whether a dotted module is of the standard library of a version of Python (none: of any)."""
    top = name.partition(".")[0]
    row = _table()["modules"].get(name)
    if version is None:
        return row is not None or top in sys.stdlib_module_names or top in _GONE
    if row is None:
        if name in _GONE:
            return version[1] < _GONE[name]
        # The stubs leave out private modules, of which only those of the host can be told.
        return top.startswith("_") and top in sys.stdlib_module_names
    first, last = row[0]
    if version[1] < _FIRST_KNOWN:
        return bool(first == _FIRST_KNOWN and version[1] >= _NEW.get(name, 0))
    return bool(first <= version[1] and (version[1] <= last or last == _table()["last"]))


def meant(name: str) -> str:
    """The module of the standard library whose name this one, which none has, is nearly; empty where there is none."""
    known, parent = _table()["modules"], name.rpartition(".")[0]
    beside = [each for each in known if each.rpartition(".")[0] == parent]
    if not parent or parent not in known or name in known or name in _GONE:
        return ""
    from difflib import get_close_matches  # noqa: PLC0415 - it takes its time to load, and is rarely asked

    return next(iter(get_close_matches(name, beside, 1, 0.85)), "")


@cache
def is_plain(name: str) -> bool:
    """Whether a top-level module of the standard library is a file of its own, so that nothing can be below it."""
    known = _table()["modules"]
    return name in known and name != "os" and not any(each.startswith(f"{name}.") for each in known)


def lacks_name(  # noqa: PLR0911 - a case a kind of name
    module: str, name: str, version: Version | None
) -> bool:
    """Whether a standard module surely has no such name in that version: neither a name nor a submodule."""
    row = _table()["modules"].get(module)
    if version is None or row is None or name == "*" or name.startswith("_") or not has_module(module, version):
        return False
    if f"{module}.{name}" in _table()["modules"]:
        return not has_module(f"{module}.{name}", version)
    _, always, some = row
    if version[1] < _FIRST_KNOWN:
        if module == "collections" and name in _ABSTRACT:
            return False
        first = _NEW_NAMES.get(module, {}).get(name)
        if first is not None:
            return version[1] < first
        return bool(name in some and some[name][0] > _FIRST_KNOWN)
    if name in some:
        first, last = some[name]
        return not (first <= version[1] and (version[1] <= last or last == _table()["last"]))
    return name not in always.split(" ")
