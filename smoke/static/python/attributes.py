"""Attributes of modules that plain statements at the top of a module read for sure."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from smoke.static.python.conditions import Truth, Version, decide
from smoke.static.python.dotted import dotted
from smoke.static.python.nodes import children
from smoke.static.python.source import Import
from smoke.static.regex import regex

_PLAIN_IMPORT = regex(rb"(?m)^[ \t]*(?:from [\w.]+ )?import [\w., \t]+$")


def attributes(body: Sequence[ast.stmt], data: bytes, version: Version | None) -> Iterator[Import]:
    """Each as if it were imported by name: of `import a`, `import a.b` and `from a import b`, where b is a module."""
    modules, whole = _modules(body)
    if not modules and not whole:
        return
    plain = (ast.Expr, ast.Assign, ast.AnnAssign)
    found = list(_read(_values(body, plain), modules, whole, main=False))
    for node in body:
        if isinstance(node, ast.If) and decide(node.test, version) is Truth.MAIN:
            found += _read(_values(node.body, plain), modules, whole, main=True)
    made = _all_stored(body) if _may_store({name for name, _ in found}, data) else ()
    yield from (each for name, each in found if name not in made)


def _modules(body: Sequence[ast.stmt]) -> tuple[dict[str, Import], set[str]]:
    """Names that may be modules, with the import that says which; and dotted names as `import` spells them."""
    modules: dict[str, Import] = {}
    whole: set[str] = set()
    for node in body:
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.asname or "." not in alias.name:
                    modules[alias.asname or alias.name] = Import(node.lineno, alias.name)
                else:
                    whole.add(alias.name)
        elif isinstance(node, ast.ImportFrom) and (node.module or node.level):
            for alias in node.names:
                module = f"{node.module}.{alias.name}" if node.module else alias.name
                modules[alias.asname or alias.name] = Import(node.lineno, module, node.level, perhaps=True)
    return modules, whole


def _values(body: Sequence[ast.stmt], plain: tuple[type[ast.stmt], ...]) -> list[ast.AST]:
    values: list[ast.AST] = []
    for node in body:
        if isinstance(node, plain) and (value := getattr(node, "value", None)) is not None:
            values.append(value)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            values += [*node.decorator_list, *node.args.defaults]
        elif isinstance(node, ast.ClassDef):
            values += [*node.decorator_list, *node.bases]
    return values


def _read(
    pending: list[ast.AST], modules: dict[str, Import], whole: set[str], *, main: bool
) -> Iterator[tuple[str, Import]]:
    while pending:
        each = pending.pop()
        if isinstance(each, ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp | ast.BoolOp):
            continue
        if isinstance(each, ast.IfExp):
            pending.append(each.test)
            continue
        if isinstance(each, ast.Attribute) and not each.attr.startswith("_"):
            if isinstance(each.value, ast.Name) and (module := modules.get(each.value.id)) is not None:
                yield each.value.id, replace(module, line=each.lineno, names=(each.attr,), main=main)
            elif (name := dotted(each.value)) in whole:
                yield name.partition(".")[0], Import(each.lineno, name, names=(each.attr,), main=main)
        pending += children(each)


def _may_store(names: set[str], data: bytes) -> bool:
    """Whether a text may assign one of some names: it has it without a dot behind, and not in a plain import.

    Most modules do not, and need not be searched for it statement by statement."""
    if not names:
        return False
    words = b"|".join(sorted(name.encode() for name in names))
    return re.search(rb"\b(?:%s)\b(?![ \t]*\.)" % words, _PLAIN_IMPORT.sub(b"", data)) is not None


def _all_stored(body: Sequence[ast.stmt]) -> set[str]:
    """Every name that is assigned anywhere below; by hand, since `ast.walk` took half of a run for this."""
    names: set[str] = set()
    pending: list[object] = list(body)
    while pending:
        node = pending.pop()
        if isinstance(node, list):
            pending += node
        elif isinstance(node, ast.Name):
            if not isinstance(node.ctx, ast.Load):
                names.add(node.id)
        elif isinstance(node, ast.AST) and not isinstance(node, ast.Constant):
            pending += vars(node).values()
    return names
