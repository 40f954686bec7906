"""Files that a pyproject.toml names, without which its project cannot be built."""

from __future__ import annotations

import tomllib

import pytest

from smoke.static.model.described import files_named

STRICT = '[build-system]\nbuild-backend = "hatchling.build"\n'


@pytest.mark.parametrize(
    ("text", "files"),
    [
        ('[project]\nreadme = "README.md"\n', ["README.md"]),
        ('[project]\nreadme = {file = "R.md", content-type = "text/markdown"}\n', ["R.md"]),
        ('[project]\nreadme = {text = "words"}\n', []),
        ('[project]\nlicense = {file = "LICENSE"}\n', ["LICENSE"]),
        ('[project]\nlicense = "MIT"\n', []),
        ('[project]\nlicense-files = ["LICEN*"]\n', []),
        ('[project]\ndynamic = ["version"]\n[tool.hatch.version]\npath = "a/v.py"\n', ["a/v.py"]),
        ('[project]\nversion = "1"\n[tool.hatch.version]\npath = "a/v.py"\n', []),
    ],
)
def test_files(text: str, files: list[str]) -> None:
    assert list(files_named(tomllib.loads(STRICT + text))) == files


def test_a_backend_that_does_not_insist_names_none() -> None:
    told = tomllib.loads('[build-system]\nbuild-backend = "setuptools.build_meta"\n[project]\nreadme = "README.md"\n')
    assert list(files_named(told)) == [] == list(files_named({}))


def test_the_file_of_pdm_that_holds_the_version() -> None:
    text = '[build-system]\nbuild-backend = "pdm.backend"\n[tool.pdm.version]\nsource = "file"\npath = "a/v.py"\n'
    assert list(files_named(tomllib.loads(text))) == ["a/v.py"]
