"""Programs that end at once where a file is missing that they are told to work with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from smoke.static.model.bases.catalog import find_base
from smoke.static.model.demanding import missing_to
from smoke.static.model.doubt import DoubtCause
from smoke.static.model.filesystem import PathEntry
from smoke.static.model.scene import Scene
from smoke.static.python.installed import Installed
from smoke.tree import Tree
from tests.smoke.cases import write_files
from tests.smoke.static.model.staged import stage

REFERENCE = "python:3.12-slim"


def lacks(folder: Path, command: str, held: dict[str, str], tree: dict[str, str] | None = None, **more: object) -> str:
    """What is missing to a command in an image whose working directory holds these files of the tree."""
    write_files(folder, {**held, **(tree or {})})
    made = stage(str(more.get("base", REFERENCE)), {f"app/{name}": text for name, text in held.items()})
    made.workdir = "/app"
    made.files.add("/app", PathEntry("directory", mode=0o755, line=1))
    made.user = str(more.get("user", "0"))
    if "doubt" in more:
        made.files.suspect("/app", "something ran", DoubtCause.COMMAND)
    scene = Scene(find_base(REFERENCE, ()), made, Installed(Tree(folder), (), None, "Dockerfile"))
    return missing_to(tuple(command.split()), scene)


PACKAGE = json.dumps({"scripts": {"start": "node server.js", "odd": "node server.js && true"}})


@pytest.mark.parametrize(
    ("command", "held", "tree", "says"),
    [
        ("node server.js", {}, {"server.js": ""}, "node is to run /app/server.js"),
        ("node server.js", {"server.js": ""}, {}, ""),
        ("node server.js", {}, {}, ""),
        ("node --inspect server.js", {}, {"server.js": ""}, ""),
        ("node $MAIN", {}, {"server.js": ""}, ""),
        ("ruby a.rb", {}, {"a.rb": ""}, "ruby is to run /app/a.rb"),
        ("php -S a.php", {}, {"a.php": ""}, ""),
        ("npm start", {}, {"package.json": PACKAGE}, "npm start reads package.json"),
        ("npm start", {"package.json": PACKAGE}, {"server.js": ""}, "node is to run /app/server.js"),
        ("npm start", {"package.json": PACKAGE, "server.js": ""}, {}, ""),
        ("npm run odd", {"package.json": PACKAGE}, {"server.js": ""}, ""),
        ("npm run none", {"package.json": PACKAGE}, {}, "has no script none"),
        ("npm start", {}, {}, ""),
        ("alembic upgrade head", {}, {"alembic.ini": ""}, "alembic is to read alembic.ini"),
        ("alembic upgrade head", {"alembic.ini": ""}, {}, ""),
        ("alembic upgrade head", {"pyproject.toml": ""}, {"alembic.ini": ""}, ""),
        ("alembic -c db/own.ini upgrade head", {}, {"db/own.ini": ""}, "alembic is to read db/own.ini"),
        ("alembic init here", {}, {"alembic.ini": ""}, ""),
        ("alembic upgrade head", {}, {}, ""),
        ("python -m alembic upgrade head", {}, {"alembic.ini": ""}, "alembic is to read alembic.ini"),
        ("python a.py", {}, {}, "python is to run /app/a.py: it is not there"),
        ("python a.py", {"a.py": ""}, {}, ""),
        ("python $MAIN.py", {}, {}, ""),
        ("python -m shop.main", {"shop/__init__.py": ""}, {}, "the module shop.main, which is not in the image"),
        ("python -m shop.main", {"shop/__init__.py": "", "shop/main.py": ""}, {}, ""),
        ("python -m shop.main", {}, {}, ""),
        ("python -m shop", {"shop/__init__.py": ""}, {}, ""),
        ("curl x", {}, {}, ""),
    ],
)
def test_what_is_missing_is_told_where_it_is_sure(
    tmp_path: Path, command: str, held: dict[str, str], tree: dict[str, str], says: str
) -> None:
    """What neither the image nor the tree has may come with a mount: only what was left behind is missed."""
    found = lacks(tmp_path, command, held, tree)
    assert says in found and bool(says) == bool(found)


@pytest.mark.parametrize("command", ["node server.js", "alembic upgrade head", "python a.py", "npm start"])
def test_what_may_be_there_is_not_missed(tmp_path: Path, command: str) -> None:
    tree = {"server.js": "", "alembic.ini": "", "package.json": PACKAGE}
    assert lacks(tmp_path, command, {}, tree, doubt=True) == ""


@pytest.mark.parametrize(
    ("command", "user", "refuses"),
    [
        ("jupyter lab", "0", True),
        ("jupyter-notebook", "0", True),
        ("jupyter lab --allow-root", "0", False),
        ("jupyter lab --config=own.py", "0", False),
        ("jupyter lab", "1000", False),
        ("jupyter nbconvert a.ipynb", "0", False),
        ("jupyter", "0", False),
    ],
)
def test_jupyter_s_servers_refuse_to_run_as_root(tmp_path: Path, command: str, user: str, refuses: bool) -> None:
    assert ("refuses to run as root" in lacks(tmp_path, command, {}, user=user)) is refuses
