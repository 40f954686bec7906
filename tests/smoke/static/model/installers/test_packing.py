"""What setuptools takes of a project: against setuptools itself where this Python brings it, and by its files."""

from __future__ import annotations

import ensurepip
import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from smoke.static.model.installers.packing import Packing, packing
from tests.smoke.static.model.staged import stage

ASKED = """\
import json, sys
from setuptools import find_namespace_packages, find_packages
print(json.dumps([
    sorted((find_packages if regular else find_namespace_packages)(root, include=include, exclude=exclude))
    for root, include, exclude, regular in json.load(sys.stdin)
]))
"""
PATTERNS = ["*", "a", "a*", "a.*", "b", "*.b", "a.b*", "c.*"]


def bundled() -> Path:
    """The wheel of setuptools that Python 3.11 brings for new environments."""
    found = sorted((Path(ensurepip.__file__).parent / "_bundled").glob("setuptools-*.whl"))
    if not found:
        pytest.skip("this Python brings no setuptools to compare with")
    return found[0]


def test_the_packages_that_are_found_are_those_that_setuptools_finds(tmp_path: Path) -> None:
    chance = random.Random(7)
    cases: list[tuple[str, list[str], list[str], bool]] = []
    for number in range(60):
        root = tmp_path / str(number)
        for _ in range(chance.randint(1, 6)):
            folder = root.joinpath(*(chance.choice("abc") for _ in range(chance.randint(1, 3))))
            folder.mkdir(parents=True, exist_ok=True)
            (folder / chance.choice(["__init__.py", "m.py"])).touch()
        include = [chance.choice(PATTERNS) for _ in range(chance.randint(1, 2))]
        exclude = [chance.choice(PATTERNS) for _ in range(chance.randint(0, 2))]
        cases.append((str(root), include, exclude, chance.random() < 0.6))
    environment = {**os.environ, "PYTHONPATH": str(bundled())}
    done = subprocess.run(
        [sys.executable, "-c", ASKED],
        input=json.dumps(cases),
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    for (place, include, exclude, regular), names in zip(cases, json.loads(done.stdout), strict=True):
        rules = Packing(None, tuple(include), tuple(exclude), regular)
        files = [str(each.relative_to(place)) for each in Path(place).rglob("*.py")]
        taken = {path for path in files if rules.takes(path, frozenset(files).__contains__)}
        wanted = {path for path in files if path.rpartition("/")[0].replace("/", ".") in names}
        assert taken == wanted, (include, exclude, regular, sorted(files))


@pytest.mark.parametrize(
    ("path", "data", "taken"),
    [
        ("a/x.json", None, True),
        ("a/x.json", {}, False),
        ("a/x.json", {"a": ("*.json",)}, True),
        ("a/x.json", {"b": ("*.json",)}, False),
        ("a/x.json", {"*": ("*.json",)}, True),
        ("a/t/x.html", {"a": ("t/*.html",)}, True),
        ("a/t/x.html", {"a": ("**/*.html",)}, True),
        ("a/t/x.html", {"a.t": ("*.html",)}, False),
        ("a/py.typed", {}, True),
        ("other/x.json", {"a": ("*.json",)}, False),
        ("top.py", {}, True),
    ],
)
def test_data_is_taken_by_the_patterns_of_its_package(
    path: str, data: dict[str, tuple[str, ...]] | None, taken: bool
) -> None:
    """`t` is a directory of the package `a`, which is the one that is listed."""
    assert Packing(frozenset({"a"}), data=data).takes(path, lambda beside: False) is taken


def rules(**files: str) -> Packing | None:
    """The rules of a project with these files; `_` stands for the dot."""
    return packing(stage(files={name.replace("_", "."): text for name, text in files.items()}), "")


PROJECT = "[project]\nname = 'x'\n"
BUILD = "[build-system]\nrequires = ['setuptools>=61', 'wheel']\n"


@pytest.mark.parametrize(
    ("files", "wanted"),
    [
        ({"pyproject_toml": BUILD + PROJECT}, Packing(None, data={})),
        ({"pyproject_toml": PROJECT + "[tool.setuptools]\npackages = ['a']\n"}, Packing(frozenset({"a"}), data={})),
        (
            {"pyproject_toml": PROJECT + "[tool.setuptools.packages.find]\ninclude = ['a*']\nnamespaces = false\n"},
            Packing(None, ("a*",), (), True, {}),
        ),
        (
            {"setup_cfg": "[options]\npackages = find:\n[options.packages.find]\nexclude =\n    tests\n"},
            Packing(None, ("*",), ("tests",), True, {}),
        ),
        ({"setup_cfg": "[options]\npackages = find_namespace:\n"}, Packing(None, data={})),
        ({"setup_cfg": "[options]\npackages =\n    a\n    a.b\n"}, Packing(frozenset({"a", "a.b"}), data={})),
        (
            {"setup_py": "from setuptools import *\nsetup(packages=find_packages(exclude=['t']))\n"},
            Packing(None, ("*",), ("t",), True, {}),
        ),
        ({"setup_py": "import setuptools\nsetuptools.setup(packages=['a'])\n"}, Packing(frozenset({"a"}), data={})),
        ({"setup_py": "setup(packages=['a'], package_data={'a': ['*']})\n"}, Packing(frozenset({"a"}))),
        ({"pyproject_toml": PROJECT, "MANIFEST_in": "include x\n"}, Packing(None)),
    ],
)
def test_rules_as_projects_write_them(files: dict[str, str], wanted: Packing) -> None:
    assert rules(**files) == wanted


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"pyproject_toml": "[build-system]\nbuild-backend = 'hatchling.build'\n" + PROJECT},
        {"pyproject_toml": "[build-system]\nrequires = ['setuptools', 'setuptools-scm']\n" + PROJECT},
        {"pyproject_toml": "[build-system]\nbackend-path = ['.']\n" + PROJECT},
        {"pyproject_toml": PROJECT + "[tool.setuptools.package-dir]\na = 'lib'\n"},
        {"pyproject_toml": "[project"},
        {"pyproject_toml": "build-system = 3\n"},
        {"setup_cfg": "no section\n"},
        {"setup_py": "from setuptools import setup\nsetup(\n"},
        {"setup_py": "from setuptools import setup\nsetup(**found)\n"},
        {"setup_py": "from setuptools import setup\nsetup(packages=names)\n"},
        {"setup_py": "from setuptools import setup\nsetup(packages=['a'], cmdclass={})\n"},
        {"setup_py": "from setuptools import setup\nsetup(packages=find_packages('lib'))\n"},
        {"setup_py": "from setuptools import setup\nsetup(packages=['a'], package_dir={'': 'lib'})\n"},
        {"setup_py": "setup(packages=['a'])\nsetup(packages=['b'])\n"},
        {"setup_py": "print('no call')\n"},
    ],
)
def test_what_other_code_decides_has_no_rules(files: dict[str, str]) -> None:
    assert rules(**files) is None
