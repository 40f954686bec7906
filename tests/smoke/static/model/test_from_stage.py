"""What a stage gets from another one, by a copy and by a mount."""

from __future__ import annotations

from pathlib import Path

from smoke.manifest import Manifest
from smoke.static.model.build import images
from smoke.static.model.image import Image
from smoke.tree import Tree
from tests.smoke.cases import write_files


def image(folder: Path, lines: str) -> Image:
    """The image of a file that begins with a stage of Python's."""
    text = f"FROM python:3.12-slim\n{lines}\n"
    [found] = images(Tree(write_files(folder, {"Dockerfile": text})), Manifest())
    return found


def test_from_another_stage_come_files_installs_and_environments(tmp_path: Path) -> None:
    made = "RUN python -m venv /opt/venv && /opt/venv/bin/pip install flask"
    lines = f"{made}\nFROM python:3.12-slim\nCOPY --from=0 /opt/venv /venv"
    found = image(tmp_path, lines)
    assert found.files.find("/venv/bin/python") is not None and "/venv" in found.venvs
    assert any(each.directory.startswith("/venv/lib/") for each in found.installs)


def test_what_a_stage_surely_does_not_make_is_missing(tmp_path: Path) -> None:
    found = image(tmp_path, "FROM python:3.12-slim\nCOPY --from=0 /nowhere-at-all /x")
    assert [each.source for each in found.missing] == ["/nowhere-at-all"]
    unknown = image(tmp_path / "b", "FROM python:3.12-slim\nCOPY --from=example/own:1 /nowhere /x")
    assert not unknown.missing and unknown.files.doubt("/x")


def test_what_a_step_mounts_of_another_stage_is_there_for_that_step(tmp_path: Path) -> None:
    lines = "RUN mkdir /made && touch /made/a\nFROM python:3.12-slim\n"
    found = image(tmp_path, f"{lines}RUN --mount=type=bind,from=0,source=/made,target=/m cp /m/a /kept")
    assert found.files.find("/kept") is not None and found.files.find("/m/a") is None


def test_a_pattern_of_names_brings_the_files_that_it_matches(tmp_path: Path) -> None:
    lines = "RUN mkdir /made && touch /made/a.txt /made/b.txt /made/c.md\nFROM python:3.12-slim\n"
    found = image(tmp_path, f"{lines}COPY --from=0 /made/*.txt /kept/\nCOPY --from=0 /other/* /kept/")
    assert found.files.names("/kept") == ["a.txt", "b.txt"] and not found.missing
    assert not found.files.doubt("/kept/more")
