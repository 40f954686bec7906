"""What a project's own files say: needs, extras, groups, scripts and modules."""

from __future__ import annotations

from pathlib import Path

import pytest

from smoke.static.python.projects import Project, read_project
from smoke.tree import Tree
from tests.smoke.cases import write_files


def read(folder: Path, **files: str) -> Project:
    named = {name.replace("__", "/").replace("_", "."): text for name, text in files.items()}
    found = read_project(Tree(write_files(folder, named)), "")
    assert found is not None
    return found


def test_a_project_table_is_read(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        pyproject_toml="""\
        [project]
        name = "Shop_X"
        dependencies = ["flask"]
        dynamic = ["scripts"]
        scripts = { shop = "shop.cli:main [fast]" }
        optional-dependencies = { Fast = ["uvloop"] }
        [dependency-groups]
        test = ["pytest", { include-group = "Lint" }]
        lint = ["ruff"]
        [tool.uv]
        dev-dependencies = ["mypy"]
        default-groups = "all"
        [build-system]
        requires = ["hatchling"]
        """.replace("        ", ""),
        src__shop__x_py="",
    )
    assert (found.name, found.needs, found.extras) == ("Shop_X", ["flask"], {"fast": ["uvloop"]})
    assert found.groups == {"test": ["pytest", "ruff"], "lint": ["ruff"], "dev": ["mypy"]}
    assert {*found.default_groups} == {"test", "lint", "dev"} and found.package
    assert found.scripts == {"shop": "shop.cli:main"} and found.doubt.endswith("leaves its scripts to the build")


def test_poetry_s_tables_are_read(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        pyproject_toml="""\
        [tool.poetry]
        name = "shop"
        package-mode = false
        [tool.poetry.dependencies]
        python = "^3.12"
        flask = { version = "^3", extras = ["async"], markers = "sys_platform == 'linux'" }
        h11 = [{ version = "1" }]
        nothing = []
        uvloop = { version = "*", optional = true }
        [tool.poetry.extras]
        fast = ["uvloop"]
        [tool.poetry.group.docs]
        optional = true
        dependencies = { mkdocs = "1" }
        [tool.poetry.dev-dependencies]
        pytest = "8"
        [tool.poetry.scripts]
        shop = { reference = "shop.py", type = "file" }
        """.replace("        ", ""),
        shop_py="",
    )
    assert found.needs == ["flask[async]; sys_platform == 'linux'", "h11", "nothing"] and not found.package
    assert found.extras == {"fast": ["uvloop"]} and found.optional_groups == {"docs"}
    assert found.groups == {"docs": ["mkdocs"], "dev": ["pytest"]} and found.modules == ["shop"]
    assert found.scripts == {"shop": "shop.py"}


def test_dependencies_that_a_build_decides_are_in_doubt(tmp_path: Path) -> None:
    found = read(
        tmp_path, pyproject_toml='[project]\nname = "x"\ndynamic = ["dependencies"]\n[tool.uv]\npackage = true\n'
    )
    assert found.doubt.endswith("leaves its dependencies to the build") and found.package


def test_setup_files_are_read(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        setup_cfg="[metadata]\nname = shop\n[options]\ninstall_requires =\n  flask\n  # no\n  h11\n"
        "[options.entry_points]\nconsole_scripts =\n  shop = shop.cli:main [x]\n  wrong\n",
        setup_py="setup(name='other', entry_points={'console_scripts': ['run = shop.run:main']}, "
        "install_requires=['trio>=1',\n 'attrs[x]==2'])",
        shop____init___py="",
    )
    assert found.name == "shop" and found.needs == ["flask", "h11", "trio>=1", "attrs[x]==2"]
    assert found.scripts == {"shop": "shop.cli:main", "run": "shop.run:main"}


@pytest.mark.parametrize("text", ["setup(install_requires=read('r.txt'))", "setup(install_requires=['a', *more])"])
def test_what_a_script_decides_is_in_doubt(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, setup_py=text).doubt == "what setup.py installs is decided as it runs"


@pytest.mark.parametrize("files", [{}, {"pyproject.toml": "[project"}, {"pyproject.toml": "[tool.black]\n"}, {
    "pyproject.toml": "project = 3\n"}, {"setup.cfg": "[options\n"}])  # fmt: skip
def test_what_cannot_be_read_is_no_project(tmp_path: Path, files: dict[str, str]) -> None:
    assert read_project(Tree(write_files(tmp_path, files)), "") is None
