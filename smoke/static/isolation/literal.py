"""The original greps of the report that the harness descends from, with their counts, to compare."""

from __future__ import annotations

from smoke.literalcount import LiteralCount
from smoke.static.regex import regex
from smoke.tree import Tree

_GREPS = (
    ('grep -r "tron" . --exclude-dir=node_modules', regex(rb"tron")),
    ('grep -r "TronWeb" .', regex(rb"TronWeb")),
    ('grep -r "payment" .', regex(rb"payment")),
    (r'grep -r "USDT\|TRX" .', regex(rb"USDT|TRX")),
)


def literal_counts(tree: Tree) -> tuple[LiteralCount, ...]:
    """Lines and files that each grep matches in the tree's own files."""
    lines = [0] * len(_GREPS)
    files = [0] * len(_GREPS)
    for path in tree.files():
        data = tree.data(path)
        for number, (_, pattern) in enumerate(_GREPS):
            found = sum(1 for line in data.split(b"\n") if pattern.search(line)) if pattern.search(data) else 0
            lines[number] += found
            files[number] += bool(found)
    return tuple(LiteralCount(command, *counts) for (command, _), *counts in zip(_GREPS, lines, files, strict=True))
