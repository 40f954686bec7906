"""Whether a program stays: threads that end with it, and work that is soon done."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from smoke.static.python.constant import is_true
from smoke.static.python.dotted import call_name, dotted
from smoke.static.python.nodes import below
from smoke.static.regex import regex

_STARTS = ("start", "loop_start")
_KEEPS = (ast.While, ast.AsyncFor, ast.Try, ast.TryStar, ast.Match)
_ENDING = frozenset({"print", "echo", "info", "debug", "warning"})
"""Calls that end at once, behind which nothing keeps a program alive either."""


_STAYS = regex(
    r"\b(?:while|async for|\w*run\w*|\w*serve\w*|start\w*|\w*loop\w*|join|\w*wait\w*|listen\w*"
    r"|\w*forever|sleep|Thread|consume\w*|\w*exec\w*|\w*spawn\w*|subscribe\w*|launch\w*|poll\w*|watch\w*)\b",
    re.IGNORECASE,
)
"""What in a program's text may keep it."""


def soon_done(text: str) -> bool:
    """Whether a program does its work and ends, as nothing in its text may keep it."""
    plain = re.sub(r"\b(?:asyncio|anyio|subprocess)\.run\(|\.execute(?:many)?\(", "(", text)
    return not _STAYS.search(re.sub(r"#[^\n]*", "", plain))


def ends_with_its_threads(body: Sequence[ast.stmt], text: bytes) -> int:
    """The line of a last statement that starts a thread which ends with the program; 0 where something may stay."""
    last = next((node for node in reversed(body) if not _ends_at_once(node)), None)
    call = last.value if isinstance(last, ast.Expr) else None
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
        return 0
    owner, method = dotted(call.func.value), call.func.attr
    other = text.count(b".start(") + text.count(b".loop_start(") + text.count(b".submit(") + text.count(b".run(")
    if other != 1:
        return 0
    known = (method == "loop_start" and b"paho" in text) or (method == "start" and owner in _daemons(body))
    return call.lineno if known else 0


def _daemons(body: Sequence[ast.stmt]) -> set[str]:
    """Names of all threads in statements that end with the program."""
    return {name for node in below(ast.Module([*body], [])) for name in _daemon(node)}


def _ends_at_once(node: ast.stmt) -> bool:
    value = node.value if isinstance(node, ast.Expr) else None
    plain = isinstance(value, ast.Constant) or (
        isinstance(value, ast.Call) and call_name(value).rpartition(".")[2] in _ENDING
    )
    return plain or isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom)


def _daemon(node: ast.AST) -> list[str]:
    """Names of threads that end with the program, and of schedulers whose thread does."""
    if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Call) or len(node.targets) != 1:
        return []
    made = call_name(node.value).rpartition(".")[2]
    told = {each.arg: each.value for each in node.value.keywords}
    ends = (made == "Thread" and is_true(told.get("daemon"))) or (
        made == "BackgroundScheduler" and "daemon" not in told
    )
    return [dotted(node.targets[0])] if ends else []
