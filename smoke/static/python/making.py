"""Calls that make files and directories, or may."""

from __future__ import annotations

import ast

from smoke.static.python.dotted import call_name
from smoke.static.python.paths import Paths

_MAKING = frozenset(
    [
        *["mkdir", "makedirs", "touch", "write_text", "write_bytes", "symlink", "symlink_to", "rename", "replace"],
        *["copy", "copy2", "copyfile", "copytree", "move", "extractall", "unpack_archive", "urlretrieve"],
        *["run", "call", "check_call", "check_output", "system", "Popen", "hf_hub_download", "snapshot_download"],
    ]
)


def made_by(node: ast.Call, name: str, paths: Paths) -> ast.expr | None:
    """The path that a call may make, or the call itself where that is not plain; none when it makes nothing."""
    last = name.rpartition(".")[2] or call_name(node).rpartition(".")[2]
    if last not in _MAKING and not (last == "open" and writes(node)):
        return None
    if name in ("os.mkdir", "os.makedirs", "open") and node.args:
        return node.args[0]
    return node.func.value if isinstance(node.func, ast.Attribute) and paths.is_path(node.func.value) else node


def writes(node: ast.Call) -> bool:
    """Whether a call of open is for writing, or may be."""
    mode = next((each.value for each in node.keywords if each.arg == "mode"), None)
    mode = mode or (node.args[1] if len(node.args) > 1 else None)
    text = mode.value if isinstance(mode, ast.Constant) else None
    return mode is not None and (not isinstance(text, str) or bool(set(text) & set("wax+")))


def says(node: ast.Call, keyword: str, place: int) -> bool | None:
    """Whether a keyword (or the argument at a place) is true; none when that cannot be told."""
    if any(each.arg is None for each in node.keywords) or any(isinstance(each, ast.Starred) for each in node.args):
        return None
    value = next((each.value for each in node.keywords if each.arg == keyword), None)
    if value is None:
        value = node.args[place] if len(node.args) > place else ast.Constant(value=False)
    return bool(value.value) if isinstance(value, ast.Constant) else None
