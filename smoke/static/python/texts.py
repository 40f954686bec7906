"""The texts that expressions of a module come to, and the variables that may give other ones."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from smoke.static.python.dotted import dotted
from smoke.static.python.imported import imported_names
from smoke.static.python.nodes import below
from smoke.static.python.quiet import parse_quietly

_READS = frozenset(["os.getenv", "os.environ.get", "decouple.config"])


_MOST_DEPTH = 8


class TextTold(Struct, frozen=True):
    """A text, and the variables that may give another one."""

    text: str
    variables: tuple[str, ...] = ()


class KnownTexts(Struct):
    """What modules call by one name each: constants at their top, and fields of pydantic's settings."""

    constants: dict[str, TextTold | None] = field(default_factory=dict)
    fields: dict[str, TextTold | None] = field(default_factory=dict)


def settings_of(modules: Mapping[str, bytes]) -> KnownTexts:
    """What the modules of a program call by names that only one of them gives, and gives once."""
    found = KnownTexts()
    for data in modules.values():
        if not re.search(rb"(?i)(?:host|url|uri|dsn|broker|backend)\w*\s*[:=]", data):
            continue
        parsed = parse_quietly(data)
        for node in parsed.body if parsed is not None else ():
            names = ModuleTexts(parsed, KnownTexts()) if parsed is not None else None
            if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
                _keep(found.constants, node.targets[0].id, names.told(node.value) if names is not None else None)
            elif isinstance(node, ast.ClassDef) and any(dotted(each).endswith("BaseSettings") for each in node.bases):
                for name, told in _fields(node):
                    _keep(found.fields, name, told)
    return found


def _keep(held: dict[str, TextTold | None], name: str, told: TextTold | None) -> None:
    held[name] = None if name in held else told


def _fields(node: ast.ClassDef) -> Iterator[tuple[str, TextTold | None]]:
    """The fields of a class of pydantic's settings whose variables have their names."""
    renamed = any(isinstance(each, ast.keyword) and each.arg in ("env_prefix", "alias", "env") for each in below(node))
    text = ast.dump(node)
    for each in node.body if not renamed and "env_prefix" not in text else ():
        if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name):
            name, value = each.target.id, each.value
            plain = isinstance(value, ast.Constant) and isinstance(value.value, str)
            variables = (name, name.upper(), name.lower())
            yield name, TextTold(value.value, variables) if plain and isinstance(value, ast.Constant) else None  # type: ignore[arg-type]


class ModuleTexts:
    """The texts that the expressions of a module come to."""

    def __init__(self, parsed: ast.Module, settings: KnownTexts) -> None:
        self.names, self.settings = imported_names(parsed), settings
        self.assigned: dict[str, ast.expr | None] = {}
        for node in parsed.body:
            if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
                name = node.targets[0].id
                self.assigned[name] = None if name in self.assigned else node.value

    def full(self, node: ast.expr) -> str:
        """The dotted name that an expression is, as it was imported."""
        first, dot, rest = dotted(node).partition(".")
        return f"{self.names.get(first, first)}{dot}{rest}"

    def told(self, node: ast.expr | None, depth: int = 0) -> TextTold | None:  # noqa: PLR0911 - a case a kind of expression
        """The text; none where it cannot be told."""
        if depth > _MOST_DEPTH:
            return None
        match node:
            case ast.Constant(value=str(text)):
                return TextTold(text)
            case ast.Constant(value=int(number)):
                return TextTold(str(number))
            case ast.Name(id=name):
                if name in self.assigned:
                    held = self.assigned[name]
                    return self.told(held, depth + 1) if held is not None else None
                return self.settings.constants.get(name)
            case ast.Attribute(attr=name):
                return self.settings.fields.get(name) or self.settings.constants.get(name)
            case ast.Call(args=[ast.Constant(value=str(name)), *rest], keywords=keywords):
                if self.full(node.func) not in _READS:
                    return None
                given = [*rest, *(each.value for each in keywords if each.arg == "default")]
                inner = self.told(given[0], depth + 1) if len(given) == 1 else None
                return replace(inner, variables=(name, *inner.variables)) if inner is not None else None
            case ast.BoolOp(op=ast.Or(), values=values):
                return self._either(values, depth)
            case ast.JoinedStr(values=values):
                return self._joined(values, depth)
        return None

    def _either(self, values: list[ast.expr], depth: int) -> TextTold | None:
        """`getenv("X") or "text"`."""
        last = self.told(values[-1], depth + 1)
        variables: list[str] = []
        for each in values[:-1]:
            named = isinstance(each, ast.Call) and len(each.args) == 1 and isinstance(each.args[0], ast.Constant)
            if not named or not isinstance(each, ast.Call) or self.full(each.func) not in _READS:
                return None
            variables += [str(each.args[0].value)] if isinstance(each.args[0], ast.Constant) else []
        return replace(last, variables=(*variables, *last.variables)) if last is not None else None

    def _joined(self, values: list[ast.expr], depth: int) -> TextTold | None:
        """An f-string; what cannot be told in it is a percent sign, which no address has."""
        parts: list[str] = []
        variables: list[str] = []
        for each in values:
            told = self.told(each.value if isinstance(each, ast.FormattedValue) else each, depth + 1)
            parts.append(told.text if told is not None else "%")
            variables += told.variables if told is not None else ()
        return TextTold("".join(parts), tuple(variables))
