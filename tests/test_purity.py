"""Reads the pure packages' source for what would let two nodes compute different things, and names file and line.

The import contracts in pyproject.toml say which packages are pure and what they may not import; this file reads that
same list and adds what no import shows: floats, interpreter-dependent builtins, and the order of a set.
"""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
[CONTRACT] = [c for c in PYPROJECT["tool"]["importlinter"]["contracts"] if c.get("id") == "purity"]

PURE_PACKAGES: list[str] = [name.replace(".", "/") for name in CONTRACT["source_modules"]]
FORBIDDEN_MODULES = frozenset(CONTRACT["forbidden_modules"])
FORBIDDEN_CALLS = frozenset({"float", "hash", "id", "input", "open", "print"})

SET_BUILDERS = frozenset({"set", "frozenset"})
SET_METHODS = frozenset({"copy", "difference", "intersection", "symmetric_difference", "union"})
ORDER_KEEPERS = frozenset({"enumerate", "filter", "iter", "list", "map", "tuple", "zip"})


def is_set(node: ast.expr) -> bool:
    """Whether an expression is a set on the face of it: a display, a comprehension, a call, or their algebra."""
    match node:
        case ast.Set() | ast.SetComp():
            return True
        case ast.Call(func=ast.Name(id=name)):
            return name in SET_BUILDERS
        case ast.Call(func=ast.Attribute(value=receiver, attr=method)):
            return method in SET_METHODS and is_set(receiver)
        case ast.BinOp(left=left, op=ast.BitOr() | ast.BitAnd() | ast.Sub() | ast.BitXor(), right=right):
            return is_set(left) or is_set(right)
        case ast.IfExp(body=body, orelse=orelse):
            return is_set(body) or is_set(orelse)
    return False


def iterated(node: ast.AST) -> list[ast.expr]:
    """The expressions whose order this node passes on."""
    match node:
        case ast.For(iter=source) | ast.comprehension(iter=source) | ast.Starred(value=source):
            return [source]
        case ast.Call(func=ast.Name(id=name), args=args) if name in ORDER_KEEPERS:
            return args
        case ast.Call(func=ast.Attribute(attr="join"), args=args):
            return args
    return []


def imported(node: ast.AST) -> list[str]:
    """The top-level names of the modules that this node imports from outside its own package."""
    match node:
        case ast.Import(names=names):
            return [alias.name.partition(".")[0] for alias in names]
        case ast.ImportFrom(module=str(module), level=0):
            return [module.partition(".")[0]]
    return []


def sorted_away(tree: ast.AST) -> set[ast.AST]:
    """The `for` clauses of comprehensions directly inside `sorted(...)`, where the order of the source is lost."""
    safe: set[ast.AST] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="sorted"), args=[ast.GeneratorExp() | ast.ListComp() as made]):
                safe.update(made.generators)
    return safe


def offenses(source: str) -> Iterator[tuple[int, str]]:
    """Yield (line, what is wrong) for a module's source text."""
    tree = ast.parse(source)
    safe = sorted_away(tree)
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 0)
        match node:
            case ast.Constant(value=float() | complex() as number):
                yield line, f"float literal {number}"
            case ast.BinOp(op=ast.Div()) | ast.AugAssign(op=ast.Div()):
                yield line, "true division"
            case ast.Call(func=ast.Name(id=name)) if name in FORBIDDEN_CALLS:
                yield line, f"call of {name}()"
        for module in imported(node):
            if module in FORBIDDEN_MODULES:
                yield line, f"import of {module}"
        for expression in iterated(node):
            if is_set(expression) and node not in safe:
                yield expression.lineno, "iteration over a set"


@pytest.mark.parametrize("package", PURE_PACKAGES)
def test_package_is_pure(package: str) -> None:
    files = sorted((ROOT / package).rglob("*.py"))
    assert files, f"{package} holds no modules: was it renamed in one place only?"
    found = [
        f"{path.relative_to(ROOT)}:{line}: {wrong}"
        for path in files
        for line, wrong in sorted(offenses(path.read_text(encoding="utf-8")))
    ]
    assert not found, "impure:\n" + "\n".join(found)


@pytest.mark.parametrize(
    ("planted", "wrong"),
    [
        ("x = 0.5", "float literal 0.5"),
        ("x = 1e3", "float literal 1000.0"),
        ("x = 2j", "float literal 2j"),
        ("x = a / b", "true division"),
        ("a /= b", "true division"),
        *[(f"x = {name}(a)", f"call of {name}()") for name in sorted(FORBIDDEN_CALLS)],
        *[(f"import {name}", f"import of {name}") for name in sorted(FORBIDDEN_MODULES)],
        ("import os.path as p", "import of os"),
        ("from concurrent.futures import Future", "import of concurrent"),
        ("def f():\n    from time import time_ns", "import of time"),
        ("for x in set(a): pass", "iteration over a set"),
        ("for x in {1, 2}: pass", "iteration over a set"),
        ("for x in set(a) - b: pass", "iteration over a set"),
        ("for x in a | {1}: pass", "iteration over a set"),
        ("for x in set(a).union(b): pass", "iteration over a set"),
        ("for x in (set(a) if a else frozenset()): pass", "iteration over a set"),
        ("x = [y for y in {z for z in a}]", "iteration over a set"),
        ("x = {y: 1 for y in frozenset(a)}", "iteration over a set"),
        ("x = sum(y for y in set(a))", "iteration over a set"),
        ("x = sorted([y for y in set(a)][:2])", "iteration over a set"),
        *[(f"x = {name}(set(a))", "iteration over a set") for name in sorted(ORDER_KEEPERS - {"filter", "map"})],
        ("x = map(f, set(a))", "iteration over a set"),
        ("x = filter(f, set(a))", "iteration over a set"),
        ("x = b''.join({a, b})", "iteration over a set"),
        ("x = [*set(a)]", "iteration over a set"),
    ],
)
def test_checker_catches(planted: str, wrong: str) -> None:
    line = 2 + planted.count("\n")
    assert list(offenses("'''a module'''\n" + planted)) == [(line, wrong)]


@pytest.mark.parametrize(
    "fine",
    [
        "x = a // b",
        "x = 1_000_000",
        "x = tree.hash(a)",
        "x = decode(hash=h, id=i)",
        "from lucid.chain import merkle",
        "from . import time",
        "for x in sorted(set(a)): pass",
        "x = tuple(sorted({y for y in a}))",
        "x = sorted(f(y) for y in set(a))",
        "x = y in {1, 2}",
        "x = len(set(a))",
        "x = a - b | c",
        "for x in a.union(b): pass",
        "'''a ratio of 0.5, or a / b'''",
    ],
)
def test_checker_lets_pass(fine: str) -> None:
    assert list(offenses(fine)) == []
