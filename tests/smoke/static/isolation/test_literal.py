"""The original greps, counted as grep counts."""

from __future__ import annotations

from pathlib import Path

from smoke.static.isolation.literal import literal_counts
from smoke.tree import Tree
from tests.smoke.cases import write_files


def test_lines_and_files_are_counted_as_grep_does(tmp_path: Path) -> None:
    """A line counts once, however often the word is in it; case matters; so do parts of words."""
    tree = Tree(write_files(tmp_path, {"a.txt": "tron tron\nelectronic\nTRON\n", "b/c.txt": "USDT\nTRX\n", "d": ""}))
    counts = {each.command.split('"')[1]: (each.lines, each.files) for each in literal_counts(tree)}
    assert counts == {"tron": (2, 1), "TronWeb": (0, 0), "payment": (0, 0), r"USDT\|TRX": (2, 1)}
