"""What names a package that is installed, and what only stands in such a file."""

from __future__ import annotations

import json

import pytest

from smoke.static.isolation.packages import is_requirement
from smoke.static.isolation.places import FileKind

PYPROJECT = """\
[project]
name = "tron-free"
dependencies = ["tronpy>=1"]
[dependency-groups]
dev = [{ include-group = "tests" }, "trongrid"]
[tool.other]
words = ["tronweb"]
"""


@pytest.mark.parametrize(
    ("path", "word", "named"),
    [
        ("pyproject.toml", "tronpy", True),
        ("a/pyproject.toml", "trongrid", True),
        ("pyproject.toml", "tronweb", False),
        ("pyproject.toml", "tron-free", False),
        ("requirements.txt", "tronweb", True),
    ],
)
def test_a_project_file_s_tables_of_dependencies_are_told_from_its_rest(path: str, word: str, named: bool) -> None:
    assert is_requirement(path, PYPROJECT, PYPROJECT.index(word), FileKind.DEPENDENCIES) is named


def test_keys_of_a_package_json_s_dependencies_are_packages() -> None:
    text = json.dumps({"name": "trx", "devDependencies": {"tronweb": "1"}, "scripts": {"usdt": "x"}}, indent=1)
    assert is_requirement("package.json", text, text.index("tronweb"), FileKind.DEPENDENCIES)
    assert not is_requirement("package.json", text, text.index("trx"), FileKind.DEPENDENCIES)
    assert not is_requirement("package.json", text, text.index("usdt"), FileKind.DEPENDENCIES)
    deep = '{"dependencies": ' + "[" * 60 + '"tronweb"' + "]" * 60 + "}"
    assert not is_requirement("package.json", deep, deep.index("tronweb"), FileKind.DEPENDENCIES), (
        "nobody nests so deep"
    )


@pytest.mark.parametrize("text", ["{tronweb", "[" * 100_000 + "tronweb"])
def test_what_cannot_be_read_names_nothing(text: str) -> None:
    assert not is_requirement("package.json", text, text.index("tronweb"), FileKind.DEPENDENCIES)


@pytest.mark.parametrize(
    ("path", "text", "named"),
    [
        ("Dockerfile", "RUN pip install tronpy\n", True),
        ("Dockerfile", "RUN pip install \\\n  h11 \\\n  tronpy\n", True),
        ("Dockerfile", "RUN echo tronpy\n", False),
        ("ci.yml", "  - run: npm install tronpy\n", True),
        ("notes.txt", "pip install tronpy\n", False),
        ("Dockerfile", "RUN true \\\n" * 30 + "tronpy", False),
    ],
)
def test_a_build_step_that_installs_names_packages(path: str, text: str, named: bool) -> None:
    assert is_requirement(path, text, text.index("tronpy"), FileKind.CODE) is named
