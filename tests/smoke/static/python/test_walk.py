"""Every import from what a container starts is followed: what is loaded, in which order, and what breaks."""

from __future__ import annotations

from pathlib import Path

import pytest

from smoke.manifest import Manifest
from smoke.static.model.build import images
from smoke.static.python.graph import Flaw, Graph
from smoke.static.python.program import Programs
from smoke.tree import Tree
from tests.smoke.cases import write_files


def graph(folder: Path, files: dict[str, str], command: str = '["python", "main.py"]') -> Graph:
    dockerfile = f"FROM python:3.12-slim\nWORKDIR /srv\nCOPY . .\nCMD {command}\n"
    tree = Tree(write_files(folder, {"Dockerfile": dockerfile, **files}))
    [image] = images(tree, Manifest())
    return Programs(tree).of(image).graph


def test_what_is_loaded_in_the_order_of_arrival(tmp_path: Path) -> None:
    files = {"main.py": "import b\nimport a\n", "a.py": "", "b.py": "import c\n", "c.py": "", "unused.py": ""}
    found = graph(tmp_path, files)
    assert list(found.modules) == ["main.py", "b.py", "a.py", "c.py"] and not found.later and not found.problems
    assert found.places["a.py"] == "/srv/a.py" and found.entry_is_main
    assert [(each.line, each.loads) for each in found.steps["main.py"]] == [(1, ("b.py",)), (2, ("a.py",))]


@pytest.mark.parametrize(
    "text",
    ["def late():\n    import a\n", "try:\n    import a\nexcept ImportError:\n    pass\n"],
)
def test_what_may_never_be_loaded_comes_later_with_all_that_it_loads(tmp_path: Path, text: str) -> None:
    found = graph(tmp_path, {"main.py": text + "import b\n", "a.py": "import c\n", "b.py": "", "c.py": ""})
    assert found.later == {"a.py", "c.py"} and {*found.modules} == {"main.py", "a.py", "b.py", "c.py"}
    assert "a.py" not in found.steps


def test_what_is_loaded_at_the_start_after_all_is_not_later(tmp_path: Path) -> None:
    found = graph(tmp_path, {"main.py": "def late():\n    import a\nimport b\n", "a.py": "", "b.py": "import a\n"})
    assert found.later == set()


@pytest.mark.parametrize(
    ("command", "modules", "main"),
    [
        ('["python", "-m", "p"]', ["p/__init__.py", "p/__main__.py"], True),
        ('["python", "-m", "p.a"]', ["p/__init__.py", "p/a.py"], True),
        ('["python", "p"]', ["p/__main__.py"], True),
        ('["uvicorn", "p.a:app"]', ["p/__init__.py", "p/a.py"], False),
    ],
)
def test_where_it_begins(tmp_path: Path, command: str, modules: list[str], main: bool) -> None:
    """A module is loaded after the packages that it is in; a directory is a program without being a package."""
    files = {"p/__init__.py": "", "p/__main__.py": "", "p/a.py": "app = 1\n", "requirements.txt": "uvicorn\n"}
    found = graph(tmp_path, files, command if "uvicorn" not in command else f"{command}\nRUN pip install uvicorn")
    assert list(found.modules) == modules and found.entry is found.modules[modules[-1]]
    assert found.entry_is_main is main and found.before == (("p/__init__.py",) if '"p"' not in command else ())


def test_the_main_guard_is_the_main_module_s(tmp_path: Path) -> None:
    text = "if __name__ == '__main__':\n    import {}\n"
    files = {"main.py": "import a\n" + text.format("b"), "a.py": text.format("c"), "b.py": "", "c.py": ""}
    assert list(graph(tmp_path, files).modules) == ["main.py", "a.py", "b.py"]


@pytest.mark.parametrize(
    ("text", "flaw", "words"),
    [
        ("import a.b\n", Flaw.IMPORT, "a.b"),
        ("from . import a\n", Flaw.RELATIVE, "leaves the top package"),
        ("print(nothing)\n", Flaw.NAME, "nothing defines it"),
        ("print(later)\nlater = 1\n", Flaw.NAME, "further down"),
        ("import a\na.nothing\n", Flaw.NAME, "nothing"),
        ("x = (\n", Flaw.SYNTAX, ""),
    ],
)
def test_what_breaks_has_its_kind(tmp_path: Path, text: str, flaw: Flaw, words: str) -> None:
    [problem] = graph(tmp_path, {"main.py": text, "a.py": ""}).problems
    assert (problem.source, problem.flaw) == ("main.py", flaw) and words in problem.message


def test_an_import_in_a_handler_counts_where_the_body_fails(tmp_path: Path) -> None:
    text = "try:\n    from a import {}\nexcept ImportError:\n    from b import nothing\n"
    assert graph(tmp_path / "fine", {"main.py": text.format("x"), "a.py": "x = 1\n", "b.py": ""}).problems == []
    [problem] = graph(tmp_path / "gone", {"main.py": text.format("y"), "a.py": "x = 1\n", "b.py": ""}).problems
    assert "nothing" in problem.message


def test_what_is_neither_of_the_tree_nor_of_the_standard_library_has_to_be_installed(tmp_path: Path) -> None:
    text = (
        "import json, flask.views\ntry:\n    import orjson\nexcept ImportError:\n    pass\ndef f():\n    import yaml\n"
    )
    found = [(each.name, each.caught, each.lazy) for each in graph(tmp_path, {"main.py": text}).outside]
    assert sorted(found) == [("flask.views", False, False), ("orjson", True, False), ("yaml", False, True)]


def test_where_the_path_is_changed_what_the_tree_has_somewhere_is_in_doubt(tmp_path: Path) -> None:
    files = {"main.py": "import sys\nsys.path.insert(0, 'lib')\nimport own\nimport flask\n", "lib/own.py": ""}
    found = graph(tmp_path, files)
    assert [each.name for each in found.outside] == ["flask"]
    assert any("own" in each.message and "main.py changes" in each.message for each in found.doubts)


def test_a_file_that_stands_before_the_standard_library(tmp_path: Path) -> None:
    found = graph(tmp_path, {"main.py": "import secrets\n", "secrets.py": "", "p/json.py": ""})
    assert [each.source for each in found.shadows] == ["secrets.py"]


def test_a_tree_without_end_is_followed_to_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smoke.static.python.walk.MAX_MODULES", 3)
    files = {f"m{number}.py": f"import m{number + 1}\n" for number in range(9)}
    assert len(graph(tmp_path, {"main.py": "import m0\n", **files}).modules) == 3
