"""Files that are opened as the code is loaded are there, and may be opened."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke.cases import Changes, says

LOOP = "\nimport time\n\nwhile True:\n    time.sleep(1)\n"


def tree(code: str, lines: str = "", base: str = "python:3.12-slim", **more: str) -> Changes:
    """A script that is started, and the lines of the Dockerfile that stand between FROM and COPY."""
    dockerfile = f'FROM {base}\nWORKDIR /srv\n{lines}\nCOPY . .\nCMD ["python", "main.py"]\n'
    return {"Dockerfile": dockerfile, "main.py": code + LOOP, **more}


CASES = [
    ("open('settings.json')", "", {"settings.json": "{}"}, "passed", "1 paths"),
    ("open('settings.json')", "", {}, "critical", "/srv/settings.json is opened as the code is loaded, and it is not"),
    ("open('/etc/nothing.conf')", "", {}, "skipped", "/etc/nothing.conf"),
    ("def late():\n    open('settings.json')", "", {}, "passed", "0 paths"),
    ("try:\n    open('settings.json')\nexcept OSError:\n    pass", "", {}, "passed", ""),
    ("open('/srv/log', 'w')", "USER 1000", {}, "critical", "/srv belongs to root"),
    ("open('/srv/log', 'w')", "RUN chown 1000 /srv\nUSER 1000", {}, "passed", ""),
    ("open('/tmp/log', 'w')", "USER 1000", {}, "passed", ""),
    ("import os\nos.mkdir('/srv/a/b')", "", {}, "critical", "/srv/a is not in the image"),
    ("import os\nos.makedirs('/srv/a/b')", "", {}, "passed", ""),
    ("import os\nos.makedirs('data')\nopen('data/x')", "", {}, "passed", ""),
    ("import json\njson.load(open('a.json'))", "", {"a.json": "{"}, "critical", "a.json is no JSON"),
    ("if condition():\n    open('x', 'w')\nopen('x')", "", {}, "skipped", "may make it"),
]


@pytest.mark.parametrize(("code", "lines", "more", "outcome", "words"), CASES)
def test_outcome(tmp_path: Path, code: str, lines: str, more: dict[str, str], outcome: str, words: str) -> None:
    assert says(tmp_path, tree(code, lines, **more), "startup.files", outcome, words)
