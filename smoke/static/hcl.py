"""HCL as far as it is plain: blocks by kind and name, of texts, lists and maps."""

from __future__ import annotations

import re
from typing import Any

from smoke.static.regex import regex

_TOKEN = regex(r'"(?:[^"\\]|\\.)*"|[A-Za-z_][\w-]*|[{}\[\]=,:()]|\d+|#[^\n]*|//[^\n]*|/\*.*?\*/|\S', re.DOTALL)


def read_hcl(text: str) -> dict[str, Any]:
    """Blocks by kind and name; what is not plain is left out of its block."""
    tokens = [each for each in _TOKEN.findall(text) if not each.startswith(("#", "//", "/*"))]
    found: dict[str, Any] = {}
    place = 0
    while place < len(tokens):
        if tokens[place] in ("target", "variable", "group") and tokens[place + 2 : place + 3] == ["{"]:
            kind, name = tokens[place], tokens[place + 1].strip('"')
            body, place = _body(tokens, place + 3, 0)
            found.setdefault(kind, {})[name] = body
        else:
            place += 1
    return found


def _body(tokens: list[str], place: int, depth: int) -> tuple[dict[str, Any], int]:
    made: dict[str, Any] = {}
    while place < len(tokens) and tokens[place] != "}":
        if tokens[place + 1 : place + 2] in (["="], [":"]):
            name = tokens[place].strip('"')
            made[name], place = _value(tokens, place + 2, depth + 1)
        elif tokens[place] == "{" and depth < 20:
            _, place = _body(tokens, place + 1, depth + 1)
        else:
            place += 1
    return made, place + 1


class _Unknown:
    """An expression."""


def _value(tokens: list[str], place: int, depth: int) -> tuple[Any, int]:
    first = tokens[place] if place < len(tokens) else ""
    if depth > 20:
        return _Unknown(), place + 1
    if first == "{":
        return _body(tokens, place + 1, depth)
    if first == "[":
        items, place = [], place + 1
        while place < len(tokens) and tokens[place] != "]":
            if tokens[place].startswith('"'):
                items.append(_unquoted(tokens[place]))
            place += 1
        return items, place + 1
    follows = tokens[place + 1 : place + 2]
    if first.startswith('"') and follows not in (["?"], ["+"]):
        return _unquoted(first), place + 1
    if re.fullmatch(r"[A-Za-z_]\w*", first) and first not in ("null", "true", "false") and follows != ["("]:
        return f"${{{first}}}", place + 1
    return (None if first == "null" else _Unknown()), place + 1


def _unquoted(token: str) -> str:
    return re.sub(r"\\(.)", r"\1", token[1:-1])
