"""Lines of the tree as evidence."""

from __future__ import annotations

from pathlib import Path

import pytest

from smoke.finding import MAX_EXCERPT, Evidence
from smoke.manifest import Manifest
from smoke.static.checks.evidence import at_instruction, at_source, final_line, shown
from smoke.static.model.build import images_of
from smoke.static.plans import plans_of
from smoke.static.scope import Scope
from smoke.tree import Tree
from tests.smoke.cases import write_files

DOCKERFILE = "FROM python:3.12 AS build\nRUN true \\\n  && false\nFROM python:3.12\n"


@pytest.fixture
def scope(tmp_path: Path) -> Scope:
    tree = Tree(write_files(tmp_path, {"Dockerfile": DOCKERFILE, "a.py": "one\n  two\n" + "x" * 999}))
    plans = plans_of(tree, Manifest())
    return Scope(tree, Manifest(), plans, images_of(tree, Manifest(), plans))


def test_an_instruction_is_shown_where_it_begins(scope: Scope) -> None:
    [image] = scope.images
    [found] = at_instruction(image, 2)
    assert (found.path, found.line) == ("Dockerfile", 2) and found.excerpt.startswith("RUN true")
    assert at_instruction(image, 3) == (Evidence("Dockerfile", 3),), "no instruction begins there"
    assert final_line(image) == 4


@pytest.mark.parametrize(("line", "text"), [(1, "one"), (2, "two"), (0, ""), (4, ""), (-1, "")])
def test_a_line_of_a_source_is_shown_if_there_is_one(scope: Scope, line: int, text: str) -> None:
    assert shown(scope, "a.py", line) == text
    assert at_source(scope, "a.py", line) == [Evidence("a.py", line, text)]


def test_long_lines_are_cut_and_files_may_be_gone(scope: Scope) -> None:
    assert len(shown(scope, "a.py", 3)) == MAX_EXCERPT
    assert shown(scope, "b.py", 1) == ""
