"""What the effects of loaded modules lead to."""

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
    ("from a import f\nf()", {"a": "def f():\n    open('/srv/none')"}, "startup.files", "critical", "/srv/none"),
    ("from a import f", {"a": "def f():\n    open('/srv/none')"}, "startup.files", "passed", "0 paths"),
    (
        "from a import f\nf('/srv/none')",
        {"a": "def f(path):\n    open(path)"},
        "startup.files",
        "critical",
        "/srv/none",
    ),
    (
        "from a import f\nf()",
        {
            "a": "import os\nfrom b import g\nHERE = os.environ.get('A')\ndef f():\n    g()",
            "b": "def g():\n    open('/srv/none')",
        },
        "startup.files",
        "critical",
        "/srv/none",
    ),
    (
        "from a import f\nf()",
        {"a": "from b import f", "b": "def f():\n    open('/srv/none')"},
        "startup.files",
        "critical",
        "",
    ),
    ("raise ValueError", {}, "entrypoint.imports", "critical", "raises ValueError"),
    ("import a", {"a": "if __name__ == '__main__':\n    raise ValueError"}, "entrypoint.imports", "passed", ""),
    (
        "from a import Made\nMade()",
        {"a": "from abc import ABC, abstractmethod\nclass Made(ABC):\n    @abstractmethod\n    def f(self): ..."},
        "entrypoint.imports",
        "critical",
        "Made is abstract",
    ),
]


@pytest.mark.parametrize(("main", "more", "check", "outcome", "words"), CASES)
def test_outcome(tmp_path: Path, main: str, more: dict[str, str], check: str, outcome: str, words: str) -> None:
    assert says(tmp_path, tree(main, **more), check, outcome, words)


def test_functions_that_call_each_other_end(tmp_path: Path) -> None:
    more = {"a": "def f():\n    from b import g\n    g()", "b": "from a import f\ndef g():\n    f()"}
    assert says(tmp_path, tree("from a import f\nf()", **more), "startup.files", "passed", "")
