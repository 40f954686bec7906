"""A small tree of Python that is started by a command."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

from smoke.manifest import Manifest
from smoke.static.model.build import images
from smoke.static.model.effective_command import Start
from smoke.tree import Tree
from tests.smoke.cases import write_files

FILES = {"main.py": "", "manage.py": "", "shop/__init__.py": "", "shop/__main__.py": "", "shop/a.py": "", "pdb.py": ""}


def start(folder: Path, command: str, lines: str = "", files: dict[str, str] | None = None) -> Start:
    """How a tree starts with this command in exec form."""
    words = json.dumps(shlex.split(command))
    dockerfile = f"FROM python:3.12-slim\nWORKDIR /srv\nCOPY . .\n{lines}\nCMD {words}\n"
    tree = Tree(write_files(folder, {"Dockerfile": dockerfile, **(FILES if files is None else files)}))
    [image] = images(tree, Manifest())
    return image.start
