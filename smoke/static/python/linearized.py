"""Classes whose bases stand in an order that Python refuses: it finds no consistent method resolution order."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from msgspec import Struct

from smoke.static.python.abstract import ClassAt
from smoke.static.python.dotted import dotted

ClassKey = tuple[str, str]
"""Module and name; the module is empty for what is not of the tree."""
Meant = Callable[[str, str], "Parent | None"]
"""What a dotted name means in a module; none where it cannot be told."""
_DEPTH = 12
_OBJECT: ClassKey = ("", "object")


class Parent(Struct, frozen=True):
    """A class as a base: its own name, and where it is made if that is in the tree."""

    key: ClassKey
    held: ClassAt | None = None


class _Conflict(Exception):
    """There is no order."""


class _Unknown(Exception):
    """A base cannot be told."""


def refused_bases(held: ClassAt, named: Meant) -> str:
    """Why the order of a class's bases is refused; empty when it is not, or a base cannot be told.

    What is known of the bases of others is a part of the constraints alone, so that a conflict is one whatever the
    rest may be."""
    if len(held.cls.bases) < 2 or any(each.arg == "metaclass" for each in held.cls.keywords):
        return ""
    shown = ", ".join(ast.unparse(each) for each in held.cls.bases)
    try:
        _linear((held.module, held.cls.name), held, named, _DEPTH)
    except _Conflict:
        return f"{held.cls.name}({shown}) has no consistent method resolution order: a base stands before its own heir"
    except _Unknown:
        return ""
    return ""


def _linear(key: ClassKey, held: ClassAt | None, named: Meant, depth: int) -> list[ClassKey]:
    """The method resolution order (C3), `object` left out but where it is written."""
    if held is None or depth == 0:
        return [key]
    bases = list(_bases(held, named))
    rows = [_linear(each.key, each.held, named, depth - 1) for each in bases]
    return [key, *_merged([*rows, [each.key for each in bases]])]


def _bases(held: ClassAt, named: Meant) -> Iterator[Parent]:
    for each in held.cls.bases:
        name = dotted(each)
        if not name:
            raise _Unknown  # what is subscripted may replace itself by another class
        if name == "object":
            if len(held.cls.bases) > 1:
                yield Parent(_OBJECT)
            continue
        base = named(held.module, name)
        if base is None or base.key[1].rpartition(".")[2] in ("Generic", "Protocol", "NamedTuple", "TypedDict"):
            raise _Unknown
        yield base


def _merged(rows: list[list[ClassKey]]) -> list[ClassKey]:
    found: list[ClassKey] = []
    rows = [list(row) for row in rows if row]
    while rows:
        behind = {each for row in rows for each in row[1:]}
        head = next((row[0] for row in rows if row[0] not in behind and _is_last(row[0], rows)), None)
        if head is None:
            raise _Conflict
        found.append(head)
        rows = [rest for row in rows if (rest := [each for each in row if each != head])]
    return found


def _is_last(key: ClassKey, rows: list[list[ClassKey]]) -> bool:
    """`object` comes behind all others."""
    return key != _OBJECT or all(set(row) <= {_OBJECT} for row in rows)
