"""What a reader of Markdown sees of a report."""

from __future__ import annotations

from markdown_it import MarkdownIt
from markdown_it.token import Token

_MARKS = {"**": "strong", "*": "em", "~~": "s"}


def tokens(markdown: str) -> list[Token]:
    """The parts of a text as GitHub's Markdown has them, inline ones in their order."""
    found: list[Token] = []
    for token in MarkdownIt("gfm-like", {"linkify": False}).parse(markdown):
        found += token.children if token.children is not None else [token]
    return found


def plain(markdown: str) -> str:
    """The text alone, its pieces side by side."""
    return "".join(each.content if each.type != "softbreak" else " " for each in tokens(markdown))


def marks(markdown: str) -> set[str]:
    """The sorts of parts besides text and what it stands in."""
    return {each.type for each in tokens(markdown)}
