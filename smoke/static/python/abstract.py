"""Classes that cannot be instantiated: abstract methods are left in them."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping

from msgspec import Struct

from smoke.static.python.dotted import dotted
from smoke.static.python.nodes import below

_PLAIN = frozenset({"object", "ABC", "abc.ABC"})
_ABSTRACT = frozenset({"abstractmethod", "abstractproperty", "abstractclassmethod", "abstractstaticmethod"})


class ClassAt(Struct, frozen=True):
    """A class that is made once, at the top of a module."""

    cls: ast.ClassDef
    module: str
    """What whoever looks bases up needs to know of where it stands."""


Lookup = Callable[[str, str], ClassAt | None]
"""The class that a name means in a module; none where that is not known."""


def left_abstract(name: str, classes: Mapping[str, ast.ClassDef]) -> tuple[str, ...]:
    """Abstract methods that a class of `classes` (those made once, at the top) surely still has, in order; none where
    a base is not among them or the class may be made otherwise."""
    return left_in(name, "", lambda module, wanted: ClassAt(classes[wanted], module) if wanted in classes else None)


def left_in(name: str, module: str, lookup: Lookup) -> tuple[str, ...]:
    """The same of a class whose bases `lookup` finds, in other modules too."""
    found = _of(lookup(module, name), lookup, 8)
    return () if found is None or not found[1] else tuple(sorted(found[0]))


def _of(held: ClassAt | None, lookup: Lookup, depth: int) -> tuple[frozenset[str], bool] | None:
    """The abstract methods, and whether `abc` minds them."""
    if held is None or depth == 0 or any(_may_alter(each) for each in held.cls.decorator_list):
        return None
    cls = held.cls
    minded = any(each.arg == "metaclass" and dotted(each.value) in ("ABCMeta", "abc.ABCMeta") for each in cls.keywords)
    if any(each.arg != "metaclass" for each in cls.keywords) or (cls.keywords and not minded):
        return None
    left: frozenset[str] = frozenset()
    for base in cls.bases:
        shown = dotted(base)
        if shown in _PLAIN:
            minded = minded or shown != "object"
            continue
        inner = _of(lookup(held.module, shown), lookup, depth - 1)
        if inner is None or len(cls.bases) > 1:
            return None  # the order of several bases is not followed
        left, minded = left | inner[0], minded or inner[1]
    made, abstract = _body(cls)
    return (left - made) | abstract, minded


def _may_alter(decorator: ast.expr) -> bool:
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    return dotted(called) not in ("dataclass", "dataclasses.dataclass", "final", "typing.final")


def _body(cls: ast.ClassDef) -> tuple[frozenset[str], frozenset[str]]:
    """Names that a class makes, and those of them that are abstract."""
    made: set[str] = set()
    abstract: set[str] = set()
    for each in below(cls):
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and each is not cls:
            made.add(each.name)
        elif isinstance(each, ast.Name) and not isinstance(each.ctx, ast.Load):
            made.add(each.id)
        elif isinstance(each, ast.alias):
            made.add(each.asname or each.name)
    for node in cls.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            marks = {dotted(each).rpartition(".")[2] for each in node.decorator_list}
            if marks & _ABSTRACT:
                abstract.add(node.name)
            elif node.name in abstract:
                abstract.discard(node.name)
    return frozenset(made), frozenset(abstract)
