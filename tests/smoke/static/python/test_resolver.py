"""What one import comes to: modules that are loaded, names that are there or not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke.cases import Changes, says

LOOP = "\nimport time\n\nwhile True:\n    time.sleep(1)\n"
HEAD = 'FROM python:3.12-slim\nWORKDIR /srv\n{}\nCOPY . .\nCMD ["python", "main.py"]\n'


def tree(main: str, lines: str = "", **more: str) -> Changes:
    """A script that is started, with modules beside it: `p_a` is `p/a.py`, and `p_` the package itself."""
    modules = {f"{name.replace('_', '/')}.py".replace("/.py", "/__init__.py"): text for name, text in more.items()}
    return {"Dockerfile": HEAD.format(lines), "main.py": main + LOOP, **modules}


CASES = [
    ("import a", {"a": ""}, "passed", ""),
    ("import a", {}, "passed", ""),
    ("import p.a", {"p_b": ""}, "critical", "p.a cannot be imported"),
    ("from a import b", {"a": "b = 1"}, "passed", ""),
    ("from a import b", {"a": ""}, "critical", "a.py defines no b"),
    ("from a import b", {"a": "from c import *", "c": "b = 1"}, "passed", ""),
    ("from a import b", {"a": "from c import *", "c": "d = 1"}, "critical", "defines no b"),
    ("from a import b", {"a": "from a import *"}, "critical", "defines no b"),
    ("from a import b", {"a": "def __getattr__(name): ..."}, "passed", ""),
    ("from a import *", {"a": "__all__ = ['b']"}, "critical", "which its __all__ names"),
    ("from p import a", {"p_a": ""}, "passed", ""),
    ("from p import b", {"p_": "", "p_a": ""}, "critical", "defines no b"),
    ("from . import a", {"a": ""}, "critical", "leaves the top package"),
    ("import p.a", {"p_": "", "p_a": "from ... import b"}, "critical", "leaves the top package"),
    ("import winreg", {}, "critical", "winreg is a module of Windows alone"),
    ("import json.parser", {}, "critical", "json"),
    ("import math.sin", {}, "critical", "math.sin"),
    ("from typing import Nothing", {}, "critical", "has no Nothing"),
    ("try:\n    from a import b\nexcept ImportError:\n    b = None", {"a": ""}, "passed", ""),
    ("try:\n    import a.x\nexcept ImportError:\n    import a.y", {"a": ""}, "critical", ""),
    ("def late():\n    from a import b", {"a": ""}, "warning", "defines no b"),
]


@pytest.mark.parametrize(("main", "more", "outcome", "words"), CASES)
def test_outcome(tmp_path: Path, main: str, more: dict[str, str], outcome: str, words: str) -> None:
    assert says(tmp_path, tree(main, **more), "entrypoint.imports", outcome, words)
