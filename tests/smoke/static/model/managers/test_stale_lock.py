"""Lock files that are older than their projects."""

from __future__ import annotations

import pytest

from smoke.static.model.managers.stale_lock import stale_refusal
from tests.smoke.static.model.staged import stage

PROJECT = '[project]\nname = "Shop"\ndependencies = ["Idna>=3", "certifi[x]; python_version > \'3\'"]\n'
UV = (
    '[[package]]\nname = "idna"\nsource = { registry = "r" }\n'
    '[[package]]\nname = "shop"\nsource = { editable = "." }\n[package.metadata]\n'
    'requires-dist = [{ name = "certifi" }, { name = "idna" }, { name = "z", marker = "extra == \'a\'" }]\n'
)
POETRY = (
    '[tool.poetry.dependencies]\npython = "^3.12"\nIdna = "^3"\n[tool.poetry.group.dev.dependencies]\npytest = "*"\n'
)
LOCKED = '[[package]]\nname = "idna"\n[[package]]\nname = "pytest"\n'
PIPFILE = '[packages]\nidna = "*"\n[dev-packages]\npytest = "*"\n'


def said(command: str, **files: str) -> str:
    names = {"pyproject": "pyproject.toml", "uv": "uv.lock", "poetry": "poetry.lock", "pipfile": "Pipfile"}
    made = stage(files={names.get(name, "Pipfile.lock"): text for name, text in files.items()})
    name, *rest = command.split()
    return stale_refusal(made, name, rest)


def test_a_lock_that_says_what_is_asked_for_is_taken() -> None:
    assert said("uv sync --locked", pyproject=PROJECT, uv=UV) == ""
    assert said("poetry install", pyproject=POETRY, poetry=LOCKED) == ""
    assert (
        said("pipenv install --deploy", pipfile=PIPFILE, lock='{"default": {"idna": {}}, "develop": {"pytest": {}}}')
        == ""
    )


@pytest.mark.parametrize("command", ["uv sync --locked", "uv run --locked x"])
def test_uv_refuses_what_its_lock_lacks_or_has_too_much(command: str) -> None:
    more = PROJECT.replace("certifi[x]", "attrs")
    assert "does not have attrs" in said(command, pyproject=more, uv=UV)
    less = PROJECT.replace(", \"certifi[x]; python_version > '3'\"", "")
    assert "no longer asks for certifi" in said(command, pyproject=less, uv=UV)


def test_others_refuse_what_their_locks_lack() -> None:
    assert "does not have attrs" in said(
        "poetry install --only main", pyproject=f'{POETRY}attrs = "1"\n', poetry=LOCKED
    )
    lock = '{"default": {"idna": {}}, "develop": {}}'
    assert "does not have pytest" in said("pipenv install --deploy --system", pipfile=PIPFILE, lock=lock)


@pytest.mark.parametrize(
    ("command", "project", "lock"),
    [
        ("uv sync", PROJECT.replace("Idna", "attrs"), UV),
        ("uv sync --locked --project other", PROJECT.replace("Idna", "attrs"), UV),
        ("uv sync --locked", PROJECT.replace("Idna", "attrs").replace("dep", 'dynamic = ["dependencies"]\ndep'), UV),
        ("uv sync --locked", PROJECT.replace("Shop", "other"), UV),
        ("uv sync --locked", PROJECT, '[[package]]\nname = "shop"\nsource = { virtual = "." }\ndependencies = [1]\n'),
        ("uv sync --locked", PROJECT, ""),
        ("uv sync --locked", "not [ TOML", UV),
    ],
)
def test_what_uv_does_not_compare_is_left_alone(command: str, project: str, lock: str) -> None:
    assert said(command, pyproject=project, uv=lock) == ""


def test_what_the_others_do_not_compare_is_left_alone() -> None:
    assert said("pipenv install", pipfile=PIPFILE, lock="{}") == ""
    assert said("pipenv install --deploy", pipfile=PIPFILE, lock="{") == ""
    assert said("poetry lock", pyproject=POETRY, poetry="") == ""
    assert said("poetry install", pyproject=POETRY, poetry="") == ""
