"""What one call does as a module is loaded."""

from __future__ import annotations

import ast

import pytest

from smoke.static.python.effects import Effects
from smoke.static.python.loading import read_effects


def effects(text: str) -> Effects:
    """What a module does as it is loaded."""
    return read_effects(ast.parse(text), text.encode(), (3, 12))


@pytest.mark.parametrize(
    ("text", "variables"),
    [
        ("import os\nint(os.getenv('A'))", ["A"]),
        ("import os\nos.getenv('A').split()", ["A"]),
        ("import os\nint(os.getenv('A', '1'))", []),
        ("import os\nos.getenv('A')", []),
        ("from decouple import config\nconfig('A')", ["A"]),
        ("from decouple import config\nconfig('A', default=1)", []),
        ("from environs import Env\nenv = Env()\nenv.str('A')\nenv('B', 'x')", ["A"]),
        ("import os\ntry:\n    int(os.getenv('A'))\nexcept TypeError:\n    pass", []),
        ("from pydantic_settings import BaseSettings\nclass S(BaseSettings):\n    key: str\nS()", ["KEY"]),
        ("from pydantic_settings import BaseSettings\nclass S(BaseSettings):\n    key: str\nS(key='x')", []),
    ],
)
def test_variables_that_are_demanded(text: str, variables: list[str]) -> None:
    assert [each.name for each in effects(text).demands] == variables


@pytest.mark.parametrize(
    "text", ["load_dotenv('own.env')", "os.putenv('A', 'b')", "os.environ.update(A='b')", "env.read_env()"]
)
def test_what_may_give_variables(text: str) -> None:
    found = effects(f"import os\nfrom dotenv import load_dotenv\n{text}")
    assert (found.gives_environment, found.reads_dotenv) == (True, False)


@pytest.mark.parametrize("text", ["load_dotenv()", "load_dotenv(override=True)"])
def test_a_file_may_give_variables(text: str) -> None:
    found = effects(f"from dotenv import load_dotenv\n{text}")
    assert (found.gives_environment, found.reads_dotenv) == (False, True)


@pytest.mark.parametrize(
    ("text", "alone", "new"),
    [
        ("os.mkdir('a')", True, True),
        ("os.makedirs('a')", False, True),
        ("os.makedirs('a', exist_ok=True)", False, False),
        ("Path('a').mkdir()", True, True),
        ("Path('a').mkdir(parents=True, exist_ok=True)", False, False),
        ("os.makedirs('a')\nshutil.rmtree('a')", False, False),
    ],
)
def test_a_directory_that_is_made(text: str, alone: bool, new: bool) -> None:
    """`alone`: the one above has to be there; `new`: it must not be there yet, unless something removes it."""
    [use] = effects(f"import os, shutil\nfrom pathlib import Path\n{text}").files
    assert (use.alone, use.new) == (alone, new)


def test_a_path_of_a_url_is_no_file() -> None:
    found = effects("import pandas\npandas.read_csv('https://example.org/a.csv')")
    assert found.files == []


@pytest.mark.parametrize(
    ("text", "function", "given"),
    [
        ("from a import f\nf('x', y)", "f", ((True, "x"), (False, None))),
        ("import a.b\na.b.f(1)", "f", ((True, 1),)),
        ("from . import a\na.f()", "f", ()),
    ],
)
def test_calls_of_other_modules(text: str, function: str, given: tuple[tuple[bool, object], ...]) -> None:
    [out] = effects(f"import os\nos.environ\n{text}").calls_out
    assert (out.function, out.given) == (function, given)


@pytest.mark.parametrize("text", ["from a import f\nf(*x)", "from a import f\nf(**x)", "f()"])
def test_calls_that_cannot_be_followed(text: str) -> None:
    assert effects(f"import os\nos.environ\n{text}").calls_out == []


def test_who_types_and_who_gives_arguments() -> None:
    assert [each.name for each in effects("name = input()").typed] == ["input"]
    text = "import argparse\np = argparse.ArgumentParser()\np.add_argument('file')\np.parse_args({})"
    assert effects(text.format("")).asked and not effects(text.format("[]")).asked
