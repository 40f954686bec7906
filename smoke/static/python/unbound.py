"""Names that a module uses as it is loaded, although nothing has made them by then: a NameError."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from smoke.static.python.conditions import Truth, Version, decide
from smoke.static.python.nodes import below, children
from smoke.static.regex import regex

_GIVEN = frozenset(
    [
        *dir(builtins),
        *["__file__", "__name__", "__path__", "__annotations__", "__builtins__", "__conditional_annotations__", "_"],
        *["WindowsError", "exit", "quit", "copyright", "credits", "license", "help"],
    ]
)
"""What every module has; `_` is what gettext installs."""
_SINCE = {
    **{"aiter": 10, "anext": 10, "EncodingWarning": 10, "BaseExceptionGroup": 11, "ExceptionGroup": 11},
    "PythonFinalizationError": 13,
}
"""Builtins that came later, with the minor version that first had them."""
_SWALLOWS = frozenset({"NameError", "Exception", "BaseException"})
_ELSEWHERE = regex(rb"\b(?:globals|exec|vars|locals|execfile|_convert_?)\(|builtins|import\s*\(?\*")
"""What makes names in ways that cannot be followed: a module that holds any of it is left alone."""
_GLOBAL = regex(rb"(?m)^[ \t]+global[ \t]+([\w, \t]+)")


class Unbound(Struct, frozen=True):
    """A name without a meaning where it is used."""

    line: int
    name: str
    main: bool = False
    """Whether that is only so in the module that Python was started with."""
    early: bool = False
    """Whether it is made further down."""


def unbound(parsed: ast.Module, data: bytes, version: Version | None, *, lazy_annotations: bool) -> list[Unbound]:
    """The names, the first use of each; nothing where names are made in ways that cannot be followed."""
    if _ELSEWHERE.search(data):
        return []
    shared = {name.strip() for line in _GLOBAL.findall(data) for name in line.decode("utf-8", "replace").split(",")}
    reader = _Reader(parsed, version, lazy_annotations, shared)
    reader.block(parsed.body, frozenset(), main=False)
    return list({each.name: each for each in reversed(reader.found)}.values())[::-1]


class _Reader:
    def __init__(self, parsed: ast.Module, version: Version | None, lazy_annotations: bool, shared: set[str]) -> None:
        self.version, self.lazy_annotations = version, lazy_annotations
        self.found: list[Unbound] = []
        self.bound: set[str] = set()
        """Names at the top that may have been made by now."""
        self.shared = shared
        """Names that functions make at the top, whenever they are called."""
        self.ever = self.shared | {name for name, _ in self._made(parsed.body)}

    # -- names that statements make -------------------------------------------------------------------------------

    def _made(self, body: Iterable[ast.stmt]) -> Iterator[tuple[str, int]]:
        """Names that statements make in their own scope, whether or not they run; not those that surely never do."""
        for node in body:
            match node:
                case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                    yield node.name, node.lineno
                    yield from _walruses([*node.decorator_list])
                    continue
                case ast.Import() | ast.ImportFrom():
                    yield from ((each.asname or each.name.partition(".")[0], node.lineno) for each in node.names)
                case ast.If(test=test, body=inner, orelse=orelse):
                    answer = decide(test, self.version)
                    yield from _walruses([test])
                    yield from self._made(inner if answer is not Truth.NO else [])
                    yield from self._made(orelse if answer is not Truth.YES else [])
                case ast.Try() | ast.TryStar():
                    for handler in node.handlers:
                        yield from [(handler.name, handler.lineno)] if handler.name else []
                        yield from self._made(handler.body)
                    yield from self._made([*node.body, *node.orelse, *node.finalbody])
                case ast.For() | ast.AsyncFor() | ast.While() | ast.With() | ast.AsyncWith():
                    heads = [each for each in children(node) if not isinstance(each, ast.stmt)]
                    yield from _stored(heads)
                    yield from self._made([*node.body, *getattr(node, "orelse", [])])
                case ast.Match(cases=cases):
                    yield from _walruses([node.subject])
                    for case in cases:
                        for each in below(case.pattern):
                            name = getattr(each, "name", None) or getattr(each, "rest", None)
                            yield from [(name, node.lineno)] if isinstance(name, str) else []
                        yield from self._made(case.body)
                case _:
                    yield from _stored([node])

    # -- names that are used --------------------------------------------------------------------------------------

    def block(self, body: Sequence[ast.stmt], local: frozenset[str], *, main: bool, inside: bool = False) -> None:
        """Statements that surely run, one after the other; `local` are names of the classes around them."""
        for node in body:
            self._statement(node, local, main, inside)
            if not inside:
                self.bound |= {name for name, _ in self._made([node])}

    def _statement(  # noqa: PLR0912 - a case a statement
        self, node: ast.stmt, local: frozenset[str], main: bool, inside: bool
    ) -> None:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self._function(node, local, main)
            case ast.ClassDef():
                self._uses([*node.decorator_list], local, main)
                own = frozenset(_parameters(node))
                self._uses([*node.bases, *(each.value for each in node.keywords)], local | own, main)
                inner = local | own | {name for name, _ in self._made(node.body)}
                self.block(node.body, inner, main=main, inside=True)
            case ast.If(test=test, body=then, orelse=orelse):
                answer = decide(test, self.version)
                if answer is Truth.YES:
                    self.block(then, local, main=main, inside=inside)
                elif answer is Truth.NO:
                    self.block(orelse, local, main=main, inside=inside)
                elif answer is Truth.MAIN:
                    self.block(then, local, main=True, inside=inside)
                elif answer is Truth.UNKNOWN:
                    self._uses([test], local, main)
            case ast.Try() | ast.TryStar():
                taken = {name for handler in node.handlers for name in _taken(handler)}
                if not taken & _SWALLOWS and not any(handler.type is None for handler in node.handlers):
                    self.block(node.body, local, main=main, inside=inside)
            case ast.With() | ast.AsyncWith():
                self._uses([item.context_expr for item in node.items], local, main)
                # What the context manager does with a failure is its own affair.
            case ast.While(test=ast.Constant(value=True), body=repeated):
                self.block(repeated, local, main=main, inside=inside)
            case ast.For(iter=iterated):
                self._uses([iterated], local, main)
            case ast.AnnAssign():
                self._uses([node.value] if node.value is not None else [], local, main)
                self._annotation(node.annotation, local, main)
            case ast.Assign() | ast.AugAssign() | ast.Expr():
                self._uses([node], local, main)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef, local: frozenset[str], main: bool) -> None:
        arguments = node.args
        defaults = [*arguments.defaults, *(each for each in arguments.kw_defaults if each is not None)]
        self._uses([*node.decorator_list, *defaults], local, main)
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
        own = local | frozenset(_parameters(node))
        for annotation in (*(each.annotation for each in every if each is not None), node.returns):
            if annotation is not None:
                self._annotation(annotation, own, main)

    def _annotation(self, node: ast.expr, local: frozenset[str], main: bool) -> None:
        if not self.lazy_annotations and not _parameters_within(node):
            self._uses([node], local, main)

    def _uses(self, nodes: Iterable[ast.AST], local: frozenset[str], main: bool) -> None:
        """Every name that expressions surely read as they are evaluated."""
        pending: list[tuple[ast.AST, frozenset[str]]] = [(node, local) for node in nodes]
        while pending:
            node, known = pending.pop()
            match node:
                case ast.Lambda():
                    pending += [(each, known) for each in node.args.defaults]
                    continue
                case ast.IfExp(test=test):
                    pending.append((test, known))
                    continue
                case ast.BoolOp(values=values):
                    pending.append((values[0], known))
                    continue
                case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                    # Only the first iterable is surely evaluated.
                    pending.append((node.generators[0].iter, known))
                    continue
                case ast.NamedExpr(target=ast.Name(id=name)):
                    self.bound.add(name)
                case ast.Name(id=name, ctx=ast.Load()):
                    self._used(node, name, known, main)
            pending += [(each, known) for each in children(node)]

    def _used(self, node: ast.Name, name: str, known: frozenset[str], main: bool) -> None:
        if name in known or name in self.bound or name in self.shared:
            return
        new = self.version is not None and self.version[1] < _SINCE.get(name, 0)
        if (name in _GIVEN or name in _SINCE) and not new:
            return
        self.found.append(Unbound(node.lineno, name, main, early=name in self.ever))


def _stored(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, int]]:
    for node in nodes:
        for each in (node,) if isinstance(node, ast.Name) else below(node):
            if isinstance(each, ast.Name) and not isinstance(each.ctx, ast.Load):
                yield each.id, each.lineno


def _walruses(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, int]]:
    for node in nodes:
        for each in () if isinstance(node, ast.Name | ast.Constant) else below(node):
            if isinstance(each, ast.NamedExpr) and isinstance(each.target, ast.Name):
                yield each.target.id, each.lineno


def _parameters(node: ast.stmt) -> Iterator[str]:
    """Type parameters of a class or function."""
    return (str(each.name) for each in getattr(node, "type_params", []))


def _parameters_within(node: ast.expr) -> bool:
    """Whether an annotation holds what is read elsewhere: text, or a literal's values."""
    return any(isinstance(each, ast.Constant) and isinstance(each.value, str) for each in below(node))


def _taken(handler: ast.ExceptHandler) -> Iterator[str]:
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return (each.id for each in kinds if isinstance(each, ast.Name))
