"""Fragments of the release notes: each has a kind that towncrier knows, and holds lines of a list."""

from __future__ import annotations

import re
import tomllib

from docs.site import TREE

CHANGES = TREE / "changes"


def test_each_fragment_becomes_lines_of_a_list() -> None:
    settings = tomllib.loads((TREE / "pyproject.toml").read_text("utf-8"))["tool"]["towncrier"]
    kinds = "|".join(kind["directory"] for kind in settings["type"])
    for path in CHANGES.iterdir():
        if path.name in settings["ignore"]:
            continue
        assert re.fullmatch(rf"\+?[\w-]+\.(?:{kinds})(?:\.\d+)?\.md", path.name), f"{path.name}: +NAME.KIND.md"
        first, *rest = path.read_text("utf-8").splitlines()
        assert first.startswith("- "), f"{path.name} begins with '- '"
        assert all(line.startswith(("- ", "  ")) for line in rest), path.name
