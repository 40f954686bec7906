"""Calls of a module's own functions and classes that surely raise: wrong arguments, no such method."""

from __future__ import annotations

import ast
import enum
from functools import cached_property

from msgspec import Struct

from smoke.static.python.abstract import left_abstract
from smoke.static.python.called import Function
from smoke.static.python.dotted import dotted
from smoke.static.python.nodes import below
from smoke.static.python.parameters import bound
from smoke.static.python.paths import Paths

_ANYTHING = frozenset({"__getattr__", "__getattribute__", "__new__", "__call__", "__class_getitem__", "__slots__"})
_ENUMS = frozenset({"Enum", "IntEnum", "StrEnum", "enum.Enum", "enum.IntEnum", "enum.StrEnum"})
_OF_ENUMS = frozenset({*dir(enum.Enum), *dir(int), *dir(str), "name", "value"})
_OF_OBJECT = frozenset(dir(object)) | {"__dict__", "__module__", "__weakref__", "mro", "__name__", "__qualname__"}


class Own(Struct, frozen=True, dict=True):
    """The plain functions and classes of a module."""

    functions: dict[str, Function]
    classes: dict[str, ast.ClassDef]
    enums: dict[str, ast.ClassDef]
    """Plain enumerations."""
    parsed: ast.Module
    every: dict[str, ast.ClassDef]
    """All classes at the top that are made once."""

    @cached_property
    def given(self) -> frozenset[str]:
        """Attributes that the module gives to anything; `*` for those that cannot be listed."""
        found: set[str] = set()
        for each in below(self.parsed):
            if isinstance(each, ast.Attribute) and not isinstance(each.ctx, ast.Load):
                found.add(each.attr)
            elif isinstance(each, ast.Name) and each.id in ("setattr", "vars"):
                found.add("*")
        return frozenset(found)


def own_of(parsed: ast.Module, functions: dict[str, Function], plain: set[str]) -> Own:
    """The functions given, and classes without bases, decorators or ways to have any attribute."""
    classes = {
        node.name: node
        for node in parsed.body
        if isinstance(node, ast.ClassDef)
        and node.name in plain
        and not (node.decorator_list or node.keywords or node.bases)
        and not any(isinstance(each, Function) and each.name in _ANYTHING for each in node.body)
    }
    enums = {
        node.name: node
        for node in parsed.body
        if isinstance(node, ast.ClassDef)
        and node.name in plain
        and not (node.decorator_list or node.keywords)
        and [dotted(each) in _ENUMS for each in node.bases] == [True]
    }
    every = {node.name: node for node in parsed.body if isinstance(node, ast.ClassDef) and node.name in plain}
    return Own(functions=functions, classes=classes, enums=enums, parsed=parsed, every=every)


def makers_of(own: Own) -> dict[str, Function]:
    """What runs as instances of the own classes are made: their plain `__init__`."""
    found = {name: _method(cls, "__init__") for name, cls in own.classes.items()}
    return {name: made for name, made in found.items() if isinstance(made, ast.FunctionDef)}


def refused_call(node: ast.Call, own: Own, paths: Paths) -> str:
    """Why a call surely raises a TypeError or AttributeError; empty when nothing speaks against it."""
    if isinstance(node.func, ast.Name):
        return _named(node, node.func.id, own)
    if not isinstance(node.func, ast.Attribute):
        return ""
    holder, name = paths.expression(node.func.value), node.func.attr
    maker = holder.func if isinstance(holder, ast.Call) else None
    cls = own.classes.get(maker.id) if isinstance(maker, ast.Name) else None
    if cls is None:
        return ""
    if not _has(cls, name, own):
        return f"the class {cls.name} has no {name}"
    method = _method(cls, name)
    return _misses(node, f"{cls.name}.{name}", method, 1) if method is not None else ""


def refused_coroutine(node: ast.Call, name: str, own: Own) -> str:
    """Why a call that runs a coroutine surely raises: it is given the function of one."""
    given = node.args[0] if node.args and name in ("asyncio.run", "uvloop.run") else None
    if not isinstance(given, ast.Name) or given.id not in own.functions:
        return ""
    return f"{name} takes what {given.id}() returns, and is given {given.id} itself: it raises ValueError"


def refused_attribute(node: ast.Attribute, own: Own) -> str:
    """Why reading an attribute of an own class surely raises; empty when nothing speaks against it."""
    name = node.value.id if isinstance(node.value, ast.Name) else ""
    cls = own.classes.get(name) or own.enums.get(name)
    if cls is None or not isinstance(node.ctx, ast.Load) or node.attr.startswith("_") or _has(cls, node.attr, own):
        return ""
    if name in own.enums and node.attr in _OF_ENUMS:
        return ""
    return f"the class {name} has no {node.attr}"


def _named(node: ast.Call, name: str, own: Own) -> str:
    """A call of a function, or of a class."""
    if name in own.functions:
        return _misses(node, name, own.functions[name], 0)
    if (
        name in own.every
        and (left := left_abstract(name, own.every))
        and not {*left, "__abstractmethods__"} & own.given
    ):
        return f"{name} is abstract and cannot be made: it lacks {', '.join(left[:3])}"
    cls = own.classes.get(name)
    if cls is None:
        return ""
    made = _method(cls, "__init__")
    if made is not None:
        return _misses(node, name, made, 1)
    given = (node.args or node.keywords) and not _has(cls, "__init__", own)
    return f"{name}() takes no arguments, and is given some" if given else ""


def _has(cls: ast.ClassDef, name: str, own: Own) -> bool:
    """Whether instances of a class may have an attribute."""
    if name in _OF_OBJECT and name != "__init__":
        return True
    for each in below(cls):
        if isinstance(each, Function | ast.ClassDef) and each.name == name:
            return True
        if isinstance(each, ast.Name) and each.id == name and not isinstance(each.ctx, ast.Load):
            return True
        if isinstance(each, ast.alias) and name in (each.name, each.asname):
            return True
    return name in own.given or "*" in own.given


def _method(cls: ast.ClassDef, name: str) -> Function | None:
    """A plain method: made once, and not decorated."""
    found = [each for each in below(cls) if isinstance(each, Function) and each.name == name]
    plain = len(found) == 1 and found[0] in cls.body and not found[0].decorator_list
    return found[0] if plain else None


def _misses(node: ast.Call, shown: str, function: Function, skipped: int) -> str:
    """What a function demands that a call does not give, or gets that it does not take."""
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    if len(positional) < skipped:
        return ""  # `*args` has the object itself
    call = ast.Call(node.func, [ast.Constant(None)] * skipped + node.args, node.keywords)
    given = bound(function, call)
    if given is None:
        return ""
    names = [each.arg for each in (*positional, *arguments.kwonlyargs)]
    missing = next((each for each in names if each not in given), "")
    if missing:
        return f"{shown}() is called without its argument {missing}"
    unknown = next((each for each in given if each not in names), "")
    if unknown and arguments.kwarg is None:
        return f"{shown}() is given {unknown}, which it does not take"
    if len(call.args) > len(positional) and arguments.vararg is None:
        return f"{shown}() is given {len(node.args)} arguments, and takes {len(positional) - skipped}"
    return ""
