"""The programs that a shell script surely starts."""

from __future__ import annotations

import re

from smoke.static.model.shell_builtins import BUILTINS
from smoke.static.model.shell_syntax import STATEMENTS, grammar
from smoke.static.model.shell_words import node_text

MAX_SCRIPT = 200_000
"""Letters of a script that are read."""


def certain_programs(script: str) -> list[str]:
    """Names of the programs that a script surely starts and whose failure makes it fail: its first command, and what
    follows by `&&`; in a pipe, the last. Those that are of the shell itself are left out."""
    root = grammar().parse(script[:MAX_SCRIPT].encode("utf-8", "replace")).root_node
    found: list[str] = []
    pending = list(reversed(root.named_children[:1])) if root.named_child_count == 1 else []
    while pending and not root.has_error:
        node = pending.pop()
        if node.type == "list":
            otherwise = any(child.type == "||" for child in node.children)
            giving_up = otherwise and re.match(r"(?:exit|false|kill)\b", node_text(node.named_children[-1])) is not None
            parts = [child for child in node.named_children if child.type in STATEMENTS]
            pending += reversed(parts[:1] if giving_up else [] if otherwise else parts)
        elif node.type == "pipeline":
            pending += node.named_children[-1:]
        elif node.type in ("redirected_statement", "compound_statement", "subshell"):
            pending += node.named_children[:1]
        elif node.type == "command" and node.child_by_field_name("name") is not None:
            words = [node_text(child) for child in node.named_children if child.type != "variable_assignment"]
            while len(words) > 1 and words[0] in ("exec", "command", "time"):
                words.pop(0)
            found.append(words[0].strip("'\""))
    return [each for each in found if each not in BUILTINS and "$" not in each]
