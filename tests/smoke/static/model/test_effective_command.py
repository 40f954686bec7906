"""The effective command: ENTRYPOINT and CMD composed, and how they are written."""

from __future__ import annotations

from pathlib import Path

import pytest

from smoke.manifest import Manifest
from smoke.static.model.build import images
from smoke.static.model.effective_command import Form, Start
from smoke.tree import Tree
from tests.smoke.cases import write_files


@pytest.mark.parametrize(
    ("lines", "words", "alone"),
    [
        ('ENTRYPOINT ["python"]\nCMD ["a.py", "x"]', ("python", "a.py", "x"), False),
        ('ENTRYPOINT ["python", "a.py"]', ("python", "a.py"), True),
        ('CMD ["python", "a.py"]', ("python", "a.py"), False),
        ('ENTRYPOINT python a.py\nCMD ["x"]', ("python", "a.py"), False),
    ],
)
def test_both_are_one_command(tmp_path: Path, lines: str, words: tuple[str, ...], alone: bool) -> None:
    tree = write_files(tmp_path, {"Dockerfile": f"FROM python:3.12-slim\nCOPY a.py /\n{lines}\n", "a.py": ""})
    [image] = images(Tree(tree), Manifest())
    assert image.start.script == "/a.py" and not image.start.trouble
    assert image.start.words[-len(words) :] == words or "python a.py" in image.start.words
    assert image.start.alone is alone


def test_what_is_not_told_is_empty() -> None:
    start = Start()
    assert (start.words, start.program, start.port, start.host) == ((), "", None, "")
    assert len({*Form}) == 3
