"""Health checks that are Python."""

from __future__ import annotations

from pathlib import Path

import pytest

from smoke.static.checks.probe_code import plain_words
from tests.smoke.cases import outcomes

DOCKERFILE = """\
FROM python:3.12-slim
RUN pip install bottle{more}
WORKDIR /srv
COPY . .
HEALTHCHECK CMD {check}
CMD ["python", "main.py"]
"""
MAIN = 'import bottle\n\nbottle.run(host="0.0.0.0", port=8000)\n'


def said(folder: Path, check: str, more: str = "", **more_files: str) -> list[str]:
    files = {"Dockerfile": DOCKERFILE.format(check=check, more=more), "main.py": MAIN, "probe.py": ""}
    files |= {name.replace("__", "/") + ".py": text for name, text in more_files.items()}
    return [text for kind, text in outcomes(folder, files, "dockerfile.health") if kind == "critical"]


@pytest.mark.parametrize(
    "check",
    [
        "python -c 'import requests'",
        '["python", "-c", "import requests"]',
        "python3 -c 'from requests import get' || exit 1",
    ],
)
def test_what_it_imports_has_to_be_installed(tmp_path: Path, check: str) -> None:
    assert said(tmp_path, check) == ["it imports requests, and nothing that this image installs brings it"]


@pytest.mark.parametrize(
    ("check", "more"),
    [
        ("python -c 'import requests'", " requests"),
        ("python -c 'import requests'", " unheard-of"),
        ("python -c 'import urllib.request, probe, bottle'", ""),
        ("python -c 'import requests' || true", ""),
        ("/opt/other/bin/python -c 'import requests'", ""),
        ("python probe.py", ""),
    ],
)
def test_what_may_be_there_is_left_alone(tmp_path: Path, check: str, more: str) -> None:
    assert not [text for text in said(tmp_path, check, more) if "imports" in text]


@pytest.mark.parametrize(
    ("words", "plain"),
    [
        (("python -c 'a b' || exit 1",), ("python", "-c", "a b")),
        (("a b && c",), ()),
        (("it's",), ()),
    ],
)
def test_one_command_decides(words: tuple[str, ...], plain: tuple[str, ...]) -> None:
    assert plain_words(words, shell_form=True) == plain
    assert plain_words(("a", "b"), shell_form=False) == ("a", "b")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("import requests\n", True),
        ("import requests, beside\nprint('$HOME')\n", True),
        ("import beside\n", False),
        ("try:\n    import requests\nexcept ImportError:\n    pass\n", False),
    ],
)
def test_a_file_of_the_tree_is_read_too(tmp_path: Path, text: str, told: bool) -> None:
    found = said(tmp_path, "python probes/alive.py", probes__alive=text, probes__beside="")
    assert any("it imports requests" in each for each in found) is told
