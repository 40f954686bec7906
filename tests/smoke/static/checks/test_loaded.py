"""What modules do with paths as they are loaded: climbing out of the root, and parsing what is malformed."""

from __future__ import annotations

from pathlib import Path

import pytest

from smoke.manifest import Manifest
from smoke.static.checks.loaded import absolute, climbed, misread, runs
from smoke.static.model.build import images_of
from smoke.static.plans import plans_of
from smoke.static.python.program import LoadedProgram
from smoke.static.scope import Scope
from smoke.tree import Tree
from tests.smoke.cases import Changes, write_files

DOCKERFILE = 'FROM python:3.12-slim\nWORKDIR /srv/app\nCOPY . .\nCMD ["python", "main.py"]\n'
HEAD = "import json\nimport tomllib\nfrom pathlib import Path\n"


def loaded(folder: Path, code: str, **more: str) -> tuple[Scope, LoadedProgram]:
    """A program of one module, in /srv/app/main.py."""
    files: Changes = {
        "Dockerfile": DOCKERFILE,
        "main.py": HEAD + code,
        **{k.replace("_", "."): v for k, v in more.items()},
    }
    tree = Tree(write_files(folder, files))
    plans = plans_of(tree, Manifest())
    scope = Scope(tree, Manifest(), plans, images_of(tree, Manifest(), plans))
    return scope, scope.programs.of(scope.images[0])


CLIMBS = "ROOT = Path(__file__).resolve().parents[{}]\n"


@pytest.mark.parametrize(
    ("code", "found"),
    [
        (CLIMBS.format(0), False),
        (CLIMBS.format(2), False),
        (CLIMBS.format(3), True),
        (f"def f():\n    {CLIMBS.format(9)}", False),
        (f"if __name__ == '__main__':\n    {CLIMBS.format(3)}", True),
        (f"def f():\n    {CLIMBS.format(3)}\nf()\n", True),
    ],
)
def test_as_deep_as_the_image_has_it_and_no_deeper(tmp_path: Path, code: str, found: bool) -> None:
    """/srv/app/main.py has three directories above it: parents 0 to 2."""
    wrong = [*climbed(*loaded(tmp_path, code))]
    assert bool(wrong) is found
    assert all("/srv/app/main.py has no parents[3]: IndexError" in each.message and each.at for each in wrong)


@pytest.mark.parametrize(
    ("code", "text", "says"),
    [
        ("json.load(open('conf.json'))\n", '{"a": 1}', ""),
        ("json.load(open('conf.json'))\n", '{"a": 1,}', "conf.json is no JSON"),
        ("json.load(open('conf.json'))\n", "", "conf.json is no JSON"),
        ("def f():\n    json.load(open('conf.json'))\n", "{", ""),
        ("tomllib.loads(Path('conf.json').read_text())\n", "a = 1\n", ""),
        ("tomllib.loads(Path('conf.json').read_text())\n", "a = ", "conf.json is no TOML"),
        ("json.load(open('/etc/other.json'))\n", "{", ""),
        ("json.load(open('conf.json'))\n", "[" * 100_000, ""),
    ],
)
def test_files_that_are_parsed_are_what_they_should_be(tmp_path: Path, code: str, text: str, says: str) -> None:
    """A deep nesting may be more than this Python takes, and not more than the container's."""
    wrong = [*misread(*loaded(tmp_path, code, conf_json=text))]
    assert bool(wrong) is bool(says)
    assert all(says in each.message and each.at[0].path == "conf.json" and each.remedy for each in wrong)


def test_what_stands_under_a_main_guard_runs_in_what_is_started_alone(tmp_path: Path) -> None:
    code = "import other\nif __name__ == '__main__':\n    other.go()\n"
    _, program = loaded(tmp_path, code, other_py="def go():\n    pass\n")
    entry, other = (program.graph.modules[name] for name in ("main.py", "other.py"))
    assert runs(program, entry, True) and runs(program, other, False) and not runs(program, other, True)


def test_a_path_is_where_the_image_has_it(tmp_path: Path) -> None:
    _, program = loaded(tmp_path, "DATA = open('data/x')\nHERE = open(Path(__file__).parent / 'y')\n")
    places = {
        absolute(program, "main.py", use.place) for each in program.graph.effects("main.py") for use in each.files
    }
    assert places == {"/srv/app/data/x", "/srv/app/y"}
