"""Classes that Python refuses to make: dataclasses and named tuples whose fields cannot be as they are written."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from smoke.static.python.dotted import dotted
from smoke.static.python.nodes import below

_MUTABLE = frozenset({"list", "dict", "set"})
_PLAIN = frozenset({"", "object", "abc.ABC", "typing.Generic", "typing.Protocol"})
"""Bases without fields of their own."""
Full = Callable[[str], str]
"""Gives a dotted name with its first part as it was imported."""


def refused(node: ast.ClassDef, full: Full) -> Iterator[tuple[int, str]]:
    """Lines and reasons for which making a class raises."""
    decorator = next((each for each in node.decorator_list if _names(each, full) == "dataclasses.dataclass"), None)
    fields = [each for each in node.body if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)]
    if decorator is not None:
        for each in fields:
            if each.value is not None and not _of_class(each) and _is_mutable(each.value):
                target = ast.unparse(each.target)
                yield each.lineno, f"a mutable default for the field {target} is refused: use default_factory"
        alone = {full(dotted(base.value if isinstance(base, ast.Subscript) else base)) for base in node.bases} <= _PLAIN
        # Without a constructor of the dataclass's own the order means nothing.
        by_name = any("KW_ONLY" in dotted(each.annotation) for each in fields) or _says(decorator, "kw_only", "init")
        if alone and not by_name:
            yield from _out_of_order([each for each in fields if not _of_class(each) and _is_given(each)], full)
    elif [full(dotted(base)) in _ENUMS for base in node.bases] == [True]:
        yield from _twice(node)
    elif any(full(dotted(base)) == "typing.NamedTuple" for base in node.bases):
        yield from _out_of_order(fields, full)


_ENUMS = frozenset({"enum.Enum", "enum.IntEnum", "enum.StrEnum", "enum.Flag", "enum.IntFlag"})


def _twice(node: ast.ClassDef) -> Iterator[tuple[int, str]]:
    """Members of an enumeration that are made twice."""
    seen: set[str] = set()
    for each in node.body:
        target = each.targets[0] if isinstance(each, ast.Assign) and len(each.targets) == 1 else None
        if isinstance(target, ast.Name) and not target.id.startswith("_"):
            if target.id in seen:
                yield each.lineno, f"the enumeration {node.name} has {target.id} twice, which it refuses"
            seen.add(target.id)


def _names(decorator: ast.expr, full: Full) -> str:
    return full(dotted(decorator.func if isinstance(decorator, ast.Call) else decorator))


def _of_class(field: ast.AnnAssign) -> bool:
    """Whether a field is the class's own, or may be."""
    return any(
        isinstance(each, ast.Name | ast.Attribute | ast.Constant) and "ClassVar" in (_shown(each))
        for each in below(field.annotation)
    )


def _shown(node: ast.expr) -> str:
    return str(node.value) if isinstance(node, ast.Constant) else dotted(node)


def _is_mutable(value: ast.expr) -> bool:
    if isinstance(value, ast.List | ast.Dict | ast.Set | ast.ListComp | ast.DictComp | ast.SetComp):
        return True
    return isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id in _MUTABLE


def _says(decorator: ast.expr, *names: str) -> bool:
    return isinstance(decorator, ast.Call) and any(each.arg in (*names, None) for each in decorator.keywords)


def _is_given(field: ast.AnnAssign) -> bool:
    """Whether a field is one of the arguments, as far as its own line says."""
    value = field.value
    return not isinstance(value, ast.Call) or not {"init", "kw_only", None} & {each.arg for each in value.keywords}


def _out_of_order(fields: list[ast.AnnAssign], full: Full) -> Iterator[tuple[int, str]]:
    """The first field without a default behind one that has one."""
    names = [ast.unparse(each.target) for each in fields]
    if len(set(names)) < len(names):
        return  # one that is there twice stays where it was first
    earlier = ""
    for each in fields:
        value = each.value
        if value is None:
            default = False
        elif isinstance(value, ast.Call) and full(dotted(value.func)) == "dataclasses.field":
            default = bool({"default", "default_factory"} & {one.arg for one in value.keywords})
        elif isinstance(value, ast.Call) and dotted(value.func).rpartition(".")[2].lower() == "field":
            return  # another library's field, whose default cannot be told
        else:
            default = True
        if not default and earlier:
            target = ast.unparse(each.target)
            yield each.lineno, f"the field {target} has no default and follows {earlier}, which has one"
            return
        earlier = earlier or (ast.unparse(each.target) if default else "")
