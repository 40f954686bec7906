"""All that is imported of what the container starts can be."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke.cases import says
from tests.smoke.static.checks.entrypoint.starting import LOOP, tree


@pytest.mark.parametrize(
    ("code", "outcome", "words"),
    [
        ("import json\n" + LOOP, "passed", "modules of the tree import each other"),
        ("import other\n" + LOOP, "passed", "2 modules"),
        ("from other import lost\n" + LOOP, "critical", "lost"),
        ("from . import other\n" + LOOP, "critical", ""),
        ("def f():\n    from other import lost\n" + LOOP, "warning", "(when the function runs)"),
        ("try:\n    from other import lost\nexcept ImportError:\n    pass\n" + LOOP, "passed", ""),
        ("x = (\n", "critical", ""),
    ],
)
def test_all_that_it_imports_can_be_imported(tmp_path: Path, code: str, outcome: str, words: str) -> None:
    files = tree('["python", "main.py"]', main=code, other="x = 1\n")
    assert says(tmp_path, files, "entrypoint.imports", outcome, words)
