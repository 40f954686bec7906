"""Dictionaries that a module writes out and never changes: which keys they have."""

from __future__ import annotations

import ast
import warnings
from functools import cached_property

from smoke.static.python.nodes import below

_READS = frozenset({"get", "items", "keys", "values", "copy"})
_MOST_KEYS = 1_000


class Literals:
    """The dictionaries of a module that are literals, under names that are made once."""

    def __init__(self, parsed: ast.Module, plain: set[str]) -> None:
        self._parsed, self._plain = parsed, plain

    def lacks(self, node: ast.Subscript) -> tuple[str, str, str] | None:
        """The name, the key and the keys that there are, where reading an element surely raises a KeyError."""
        if not isinstance(node.value, ast.Name) or not isinstance(node.slice, ast.Constant):
            return None
        keys = self._known.get(node.value.id)
        wanted = node.slice.value
        if keys is None or wanted in keys or not isinstance(wanted, str):
            return None
        return node.value.id, wanted, ", ".join(map(repr, keys[:5])) + (" and others" if len(keys) > 5 else "")

    @cached_property
    def _known(self) -> dict[str, tuple[object, ...]]:
        found: dict[str, tuple[object, ...]] = {}
        for each in self._parsed.body:
            targets = each.targets if isinstance(each, ast.Assign) else [getattr(each, "target", None)]
            value = each.value if isinstance(each, ast.Assign | ast.AnnAssign) else None
            name = targets[0].id if len(targets) == 1 and isinstance(targets[0], ast.Name) else ""
            if name not in self._plain or not isinstance(value, ast.Dict) or len(value.keys) > _MOST_KEYS:
                continue
            if value.keys and all(isinstance(key, ast.Constant) for key in value.keys):
                found[name] = tuple(key.value for key in value.keys if isinstance(key, ast.Constant))
        return {name: keys for name, keys in found.items() if name not in self._handed(found)} if found else {}

    def _handed(self, names: dict[str, tuple[object, ...]]) -> set[str]:
        """Those names that are used for more than to read elements: something may change what they stand for."""
        reads: dict[str, int] = dict.fromkeys(names, 0)
        uses: dict[str, int] = dict.fromkeys(names, 0)
        for node in below(self._parsed):
            if isinstance(node, ast.Name) and node.id in names:
                uses[node.id] += 1
            held: ast.expr | None = None
            if (isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load)) or (
                isinstance(node, ast.Attribute) and node.attr in _READS
            ):
                held = node.value
            elif isinstance(node, ast.For):
                held = node.iter
            elif isinstance(node, ast.Compare) and isinstance(node.ops[-1], ast.In | ast.NotIn):
                held = node.comparators[-1]
            if isinstance(held, ast.Name) and held.id in names:
                reads[held.id] += 1
        # One use is the assignment itself.
        return {name for name in names if uses[name] - reads[name] > 1}


def literal_of(data: bytes, name: str) -> ast.Dict | None:
    """The dictionary that a module writes out under a name, made once at its top; none where that is not so."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            body = ast.parse(data).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    found = [
        each.value
        for each in body
        if isinstance(each, ast.Assign | ast.AnnAssign)
        for target in (each.targets if isinstance(each, ast.Assign) else [each.target])
        if isinstance(target, ast.Name) and target.id == name
    ]
    return found[0] if len(found) == 1 and isinstance(found[0], ast.Dict) else None
