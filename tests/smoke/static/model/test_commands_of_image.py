"""What an image starts, and what asks how it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from smoke.manifest import Manifest
from smoke.static.model.build import images
from smoke.static.model.image import Image
from smoke.tree import Tree
from tests.smoke.cases import write_files


def image(folder: Path, lines: str) -> Image:
    text = f"FROM python:3.12-slim\n{lines}\n"
    [found] = images(Tree(write_files(folder, {"Dockerfile": text, "a.py": ""})), Manifest())
    return found


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ('CMD ["python", "-V"]', ("python", "-V")),
        ('ENTRYPOINT ["python"]\nCMD ["-V"]', ("python", "-V")),
        ('CMD ["-V"]\nENTRYPOINT ["python"]', ("python", "-V")),
        ('ENTRYPOINT ["python", "-V"]', ("python", "-V")),
        ('CMD ["a"]\nCMD ["python", "-V"]', ("python", "-V")),
    ],
)
def test_entry_point_and_command(tmp_path: Path, lines: str, words: tuple[str, ...]) -> None:
    """An ENTRYPOINT takes the base's CMD away, and not the one of this file."""
    assert image(tmp_path, lines).start.words == words


def test_health_check(tmp_path: Path) -> None:
    health = image(tmp_path, 'HEALTHCHECK CMD ["python", "-V"]').health
    assert health is not None and health.words == ("python", "-V") and not health.shell_form
    none = image(tmp_path / "b", "HEALTHCHECK NONE").health
    assert none is not None and none.disabled


def test_an_entry_point_of_a_later_stage_takes_its_command_away(tmp_path: Path) -> None:
    lines = 'FROM python:3.12-slim AS a\nCMD ["-V"]\nFROM a\nENTRYPOINT ["python"]'
    assert image(tmp_path, lines).start.words == ("python",)
