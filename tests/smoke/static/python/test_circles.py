"""Modules that import each other, in an order in which Python fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke.cases import Changes, says

LOOP = "\nimport time\n\nwhile True:\n    time.sleep(1)\n"
HEAD = 'FROM python:3.12-slim\nWORKDIR /srv\nCOPY . .\nCMD ["python", "main.py"]\n'


def tree(a: str, b: str, main: str = "import a") -> Changes:
    return {"Dockerfile": HEAD, "main.py": main + LOOP, "a.py": a, "b.py": b}


@pytest.mark.parametrize(
    ("a", "b", "outcome"),
    [
        ("from b import y\nx = 1", "from a import x\ny = 1", "critical"),
        ("x = 1\nfrom b import y", "from a import x\ny = 1", "passed"),
        ("import b\nx = 1", "import a\ny = 1", "passed"),
        ("from b import y\nx = 1", "y = 1\ndef late():\n    from a import x", "passed"),
        ("from b import y\nx = 1", "try:\n    from a import x\nexcept ImportError:\n    x = 2\ny = 1", "passed"),
        ("from b import y\ndef __getattr__(name): ...", "from a import x\ny = 1", "passed"),
    ],
)
def test_a_circle_of_two(tmp_path: Path, a: str, b: str, outcome: str) -> None:
    words = "before it is there: they import each other" if outcome == "critical" else ""
    assert says(tmp_path, tree(a, b), "entrypoint.imports", outcome, words)


def test_the_order_of_the_start_decides(tmp_path: Path) -> None:
    """Begun at the other end, the same two modules load."""
    a, b = "from b import y\nx = 1", "y = 1\nfrom a import x"
    assert says(tmp_path / "1", tree(a, b, "import b"), "entrypoint.imports", "passed", "")
    assert says(tmp_path / "2", tree(a, b, "import a"), "entrypoint.imports", "critical", "x is taken from a.py")


def test_a_long_chain_needs_no_deep_stack(tmp_path: Path) -> None:
    files: Changes = {"Dockerfile": HEAD, "main.py": "import m0" + LOOP}
    chain = {f"m{n}.py": f"import m{n + 1}\n" for n in range(1500)}
    assert says(tmp_path, {**files, **chain, "m1500.py": ""}, "entrypoint.imports", "passed", "")
