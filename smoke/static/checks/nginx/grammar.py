"""`nginx.grammar`: nginx can read its configurations: directives end with `;`, and braces pair."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from smoke.finding import Evidence, Finding, excerpt
from smoke.static.checks.nginx.configurations import MAX_CONFIGURATION
from smoke.static.checks.nginx.rules import GRAMMAR
from smoke.static.regex import regex
from smoke.tree import Tree

_TOKEN = regex(
    r"""(?P<blank>\s+|\#[^\n]*)|(?P<mark>[;{}])|(?P<word>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|(?:\$\{\w*\}?|\\.|[^\s;{}\\])+)"""
    r"|(?P<rest>.)",
    re.DOTALL,
)
_FOREIGN = regex(r"_by_lua|js_content|perl_set|\bperl\b|\{\{|\{%|<%")
"""Blocks in other languages, and templates."""


def fault_in(text: str) -> tuple[int, str]:
    """The first line where nginx stops reading, and why; (0, "") when it reads all, or that cannot be told."""
    words, line = 0, 1
    opened: list[int] = []
    for match in _TOKEN.finditer(text if not _FOREIGN.search(text) else ""):
        token = match[0]
        if match.lastgroup == "rest":
            return 0, ""
        if match.lastgroup == "mark":
            if why := _refused(token, words, len(opened)):
                return line, why
            words = 0
            if token == "{":
                opened.append(line)
            elif token == "}":
                opened.pop()
        words += match.lastgroup == "word"
        line += token.count("\n")
    if words:
        return line, 'the last directive does not end with ";"'
    return (opened[-1], "the block is not closed") if opened else (0, "")


def _refused(mark: str, words: int, opened: int) -> str:
    """Why nginx takes no such mark after so many words, in so many blocks; empty when it does."""
    if mark == "}":
        return 'the directive before "}" does not end with ";"' if words else "" if opened else "no block is open"
    return "" if words else f'unexpected "{mark}"'


def judge_grammar(name: str, tree: Tree, paths: Iterable[str], judged: set[str]) -> Iterator[Finding]:
    """Configurations of a service that are in the tree, each once: `judged` are those of which was told."""
    for path in paths:
        text = tree.text(path)
        if not path.endswith(".conf") or path in judged or len(text) >= MAX_CONFIGURATION:
            continue
        if not {*";{"} & {*text}:
            continue  # it stands in for one
        judged.add(path)
        line, why = fault_in(text)
        if line:
            shown = text.split("\n")[line - 1]
            yield GRAMMAR.fail(f"nginx cannot read {path}: {why}", name, [Evidence(path, line, excerpt(shown))])
        else:
            yield GRAMMAR.passed(f"nginx can read {path}", name, [Evidence(path)])
