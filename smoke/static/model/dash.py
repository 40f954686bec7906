"""dash, Debian's /bin/sh: whether an image has it, and what stops it in a script that was written for bash."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from smoke.static.model.shell_syntax import grammar
from smoke.static.regex import regex

if TYPE_CHECKING:
    from tree_sitter import Node

    from smoke.static.model.stage import Stage

_UNREADABLE = {
    "array": "an array",
    "process_substitution": "a process substitution",
    "herestring_redirect": "a here-string",
}
"""What dash refuses as soon as it reads the command that holds it, whether that is run or not."""
_BAD = regex(r"\$\{(?:!\w|\w+(?:\[|//?[^}]|\^|,|@[A-Za-z]\}|:(?:\d|\s+-?\d)))")
"""Expansions that dash knows nothing of: it ends where it comes to one."""
_UNKNOWN = frozenset(["source", "declare", "shopt", "pushd", "popd", "mapfile", "readarray", "let"])
_AROUND = frozenset(["program", "command", "redirected_statement", "variable_assignment", "string", "concatenation"])
MAX_SCRIPT = 1 << 16


def has_dash(stage: Stage) -> bool:
    """Whether /bin/sh is Debian's own."""
    held = stage.files.entries.get(posixpath.join(stage.files.resolve("/bin"), "sh"))
    return stage.system == "debian" and held is not None and held.kind == "file" and not held.line


def dash_stops(text: str, *, errexit: bool) -> str:
    """Why a script surely ends before its last command; `errexit` says that a failing command ends it."""
    root = grammar().parse(text[:MAX_SCRIPT].encode("utf-8", "replace")).root_node
    if root.has_error:
        return ""
    pending = list(reversed(root.named_children))
    while pending:
        node = pending.pop()
        if reason := _refused(node, errexit):
            return f"line {node.start_point[0] + 1} has {reason}, and /bin/sh is dash here"
        pending += reversed(node.named_children)
    return ""


def _refused(node: Node, errexit: bool) -> str:
    if node.type in _UNREADABLE:
        return f"{_UNREADABLE[node.type]}, which only bash can read"
    if not _surely_run(node):
        return ""
    text = _text(node)
    if node.type == "expansion" and _BAD.match(text):
        return f"{text[:40]}, a bad substitution"
    if node.type == "command" and re.match(r"set\s+(?:-\w*o|-\w+\s+-o)\s+pipefail\b", text):
        return "set -o pipefail, which it does not know"
    return _not_found(node, text) if errexit else ""


def _not_found(node: Node, text: str) -> str:
    """A command that only bash has: dash looks for a program of that name, and goes on unless it is told not to."""
    if node.type == "function_definition" and text.startswith("function"):
        return "the word function, which it takes for a command"
    name = node.child_by_field_name("name") if node.type == "command" else None
    word = text.split(maxsplit=1)[0] if node.type == "declaration_command" else "" if name is None else _text(name)
    return f"{word}, which it does not know" if word in _UNKNOWN else ""


def _text(node: Node) -> str:
    return (node.text or b"").decode("utf-8", "replace")


def _surely_run(node: Node) -> bool:
    """Whether a node is part of a plain command at the top of the script."""
    above = node.parent
    while above is not None and above.type in _AROUND:
        above = above.parent
    return above is None
