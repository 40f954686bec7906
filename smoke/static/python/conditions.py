"""Decides conditions that a module tests as it is imported, for Linux and the image's Python, where they are simple."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from enum import Enum
from typing import Any

from smoke.static.python.dotted import dotted

Version = tuple[int, int]

_FACTS: dict[str, object] = {
    "sys.platform": "linux",
    "os.name": "posix",
    "sys.implementation.name": "cpython",
    "sys.byteorder": "little",
    "os.sep": "/",
    "typing.TYPE_CHECKING": False,
    "TYPE_CHECKING": False,
    "t.TYPE_CHECKING": False,
    "__debug__": True,
}
_CALLS: dict[str, object] = {
    "platform.system": "Linux",
    "platform.python_implementation": "CPython",
}
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda left, right: left in right,
    ast.NotIn: lambda left, right: left not in right,
}
_DEEP = 20
"""Nesting of a condition that is followed."""


class Truth(Enum):
    """What a condition comes to. `MAIN`: it holds in the module that Python was started with, and in no other."""

    YES = "yes"
    NO = "no"
    MAIN = "main"
    NOT_MAIN = "not main"
    UNKNOWN = "unknown"


_OPPOSITE = {Truth.YES: Truth.NO, Truth.MAIN: Truth.NOT_MAIN, Truth.UNKNOWN: Truth.UNKNOWN}
_OPPOSITE |= {value: key for key, value in _OPPOSITE.items()}


class _Unknown(Exception):
    """An expression is not simple enough."""


def decide(test: ast.expr, version: Version | None, depth: int = _DEEP) -> Truth:
    """What a condition comes to under a version of Python; none when that is not known."""
    if depth == 0:
        return Truth.UNKNOWN
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return _OPPOSITE[decide(test.operand, version, depth - 1)]
    if isinstance(test, ast.BoolOp):
        answers = [decide(value, version, depth - 1) for value in test.values]
        return _joined(answers, isinstance(test.op, ast.And))
    if _is_main(test):
        return Truth.MAIN
    try:
        return Truth.YES if _value(test, version, depth) else Truth.NO
    except (_Unknown, TypeError, ValueError, LookupError):
        return Truth.UNKNOWN


def _joined(answers: list[Truth], every: bool) -> Truth:
    """Answers joined by `and` (`every`) or by `or`."""
    ending, neutral = (Truth.NO, Truth.YES) if every else (Truth.YES, Truth.NO)
    if ending in answers:
        return ending
    left = {answer for answer in answers if answer is not neutral}
    return left.pop() if len(left) == 1 else Truth.UNKNOWN if left else neutral


def _is_main(test: ast.expr) -> bool:
    match test:
        case ast.Compare(left=left, ops=[ast.Eq()], comparators=[right]):
            pair = {dotted(side) or getattr(side, "value", None) for side in (left, right) if _hashable(side)}
            return pair == {"__name__", "__main__"}
    return False


def _hashable(node: ast.expr) -> bool:
    return bool(dotted(node)) or isinstance(node, ast.Constant)


def _value(node: ast.expr, version: Version | None, depth: int) -> Any:  # noqa: PLR0911 - one case a kind of expression
    if depth == 0:
        raise _Unknown
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Tuple(elts=elements) | ast.List(elts=elements) | ast.Set(elts=elements):
            return tuple(_value(element, version, depth - 1) for element in elements)
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _COMPARE:
            return _compared(left, op, right, version, depth)
        case ast.Subscript(value=value, slice=index) if dotted(value) == "sys.version_info":
            return _component(index, version, depth)
        case ast.Attribute(value=value, attr="major" | "minor" as part) if dotted(value) == "sys.version_info":
            return _known(version)[part == "minor"]
        case ast.Call(func=ast.Attribute(value=value, attr="startswith"), args=[ast.Constant(value=str(prefix))]):
            return str(_value(value, version, depth - 1)).startswith(prefix)
        case ast.Call(func=function, args=[]) if dotted(function) in _CALLS:
            return _CALLS[dotted(function)]
    name = dotted(node)
    if name == "sys.version_info":
        return _known(version)
    if name in _FACTS:
        return _FACTS[name]
    raise _Unknown


def _known(version: Version | None) -> Version:
    if version is None:
        raise _Unknown
    return version


def _compared(left: ast.expr, op: ast.cmpop, right: ast.expr, version: Version | None, depth: int) -> bool:
    first, second = _value(left, version, depth - 1), _value(right, version, depth - 1)
    # Of the version only the first two numbers are known: a third one cannot be compared.
    if "sys.version_info" in (dotted(left), dotted(right)):
        other = second if dotted(left) == "sys.version_info" else first
        if not isinstance(other, tuple) or len(other) > 2:
            raise _Unknown
        if dotted(left) != "sys.version_info":
            raise _Unknown
        # `sys.version_info` has five parts, so it is never equal to two numbers and is greater than them.
        first = (*_known(version), 0)
    return _COMPARE[type(op)](first, second)


def _component(index: ast.expr, version: Version | None, depth: int) -> Any:
    known = _known(version)
    match index:
        case ast.Constant(value=int(place)):
            return known[place] if place in (0, 1) else _raise()
        case ast.Slice(lower=None, upper=ast.Constant(value=int(end)), step=None) if 0 <= end <= 2:
            return known[:end]
    return _raise()


def _raise() -> Any:
    raise _Unknown
