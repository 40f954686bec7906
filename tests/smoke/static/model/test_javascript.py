"""What a program of Node's loads as it starts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from smoke.static.model.bases.catalog import find_base
from smoke.static.model.doubt import DoubtCause
from smoke.static.model.filesystem import PathEntry
from smoke.static.model.javascript import program_gone, refused_load
from smoke.static.model.node_packages import NodeModules
from smoke.static.model.scene import Scene
from smoke.static.python.installed import Installed
from smoke.tree import Tree
from tests.smoke.static.model.staged import stage

BASE = "node:20-slim"


def scene(tmp_path: Path, files: dict[str, str]) -> Scene:
    made = stage(BASE, {f"app/{name}": text for name, text in files.items()})
    made.files.add("/app", PathEntry("directory", mode=0o755, line=1))
    made.workdir = "/app"
    return Scene(find_base(BASE, ()), made, Installed(Tree(tmp_path), (), None, "Dockerfile"))


MODULE = json.dumps({"name": "own", "type": "module"})


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"m.js": "require('express')"}, "m.js loads express, and there is no node_modules"),
        ({"m.js": "const a = require('@s/t/x')"}, "m.js loads @s/t"),
        ({"m.js": "require('./a')", "a.js": "const {x,\n y} = require('b')"}, "a.js loads b"),
        ({"m.js": "require('./a')"}, "m.js loads ./a, which is not in the image"),
        ({"m.js": "require('./a')", "a/index.js": ""}, ""),
        ({"m.js": "require('./a')", "a/other.js": ""}, "m.js loads ./a"),
        ({"m.js": "require('./a')", "a/package.json": "{}"}, ""),
        ({"m.js": "require('./a'); require('./b.json')", "a.json": "{}", "b.json": "{}"}, ""),
        ({"m.js": "require('fs'); require('node:test')\nrequire('fs/promises')"}, ""),
        ({"m.js": "  require('express')\nif (x) require('a')"}, ""),
        ({"m.js": "// require('a')\n/*\nrequire('b')\n*/\nconst t = `\nrequire('c')\n`"}, ""),
        ({"m.mjs": "import a from './a'", "a.js": ""}, "m.mjs loads ./a"),
        ({"m.mjs": "import './a.js'\nexport { x } from './b.mjs'", "a.js": "", "b.mjs": ""}, ""),
        ({"m.mjs": "import x from 'x'"}, "m.mjs loads x"),
        ({"m.js": "import x from 'own/x'", "package.json": MODULE}, ""),
        ({"m.js": "import x from '#x'", "package.json": MODULE}, ""),
        ({"m.js": "const a = require('fs')", "package.json": MODULE}, "calls require"),
        ({"m.js": "import 'fs'\nconst a = require('fs')", "package.json": MODULE}, ""),
        ({"m.js": "require('module-alias/register')\nrequire('x')"}, ""),
        ({"m.cjs": "import fs from 'fs'"}, "has an import statement"),
        ({"m.js": "import fs from 'fs'"}, ""),
        ({"m.js": "export const x = 'express'"}, ""),
    ],
)
def test_what_is_loaded_is_there(tmp_path: Path, files: dict[str, str], says: str) -> None:
    found = refused_load(next(iter(files)), scene(tmp_path, files))
    assert says in found and bool(says) is bool(found), found


def test_what_may_be_elsewhere_is_not_missed(tmp_path: Path) -> None:
    held = scene(tmp_path, {"m.js": "require('express')"})
    held.state.environment["NODE_PATH"] = "/x"
    assert refused_load("m.js", held) == ""
    unsure = scene(tmp_path, {"m.js": "require('express')"})
    unsure.state.files.suspect("/app/node_modules", "something ran", DoubtCause.COMMAND)
    assert refused_load("m.js", unsure) == ""


def test_what_is_known_of_node_modules_decides(tmp_path: Path) -> None:
    held = scene(tmp_path, {"m.js": "require('express')"})
    held.state.node_modules["/app/node_modules"] = NodeModules(frozenset({"express"}), frozenset(), omitted=True)
    assert "a development dependency, which is left out" in refused_load("m.js", held)
    held.state.node_modules["/node_modules"] = NodeModules(frozenset({"express"}), frozenset({"express"}))
    assert refused_load("m.js", held) == ""


def test_programs_of_packages(tmp_path: Path) -> None:
    package = json.dumps({"devDependencies": {"nodemon": "1", "typescript": "5"}})
    held = scene(tmp_path, {"package.json": package})
    assert program_gone("nodemon", held) == "it starts nodemon, and there is no /app/node_modules"
    assert program_gone("tsc", held)
    assert program_gone("next", held) == program_gone("mine", held) == ""
    held.state.node_modules["/app/node_modules"] = NodeModules(frozenset({"nodemon"}), frozenset(), omitted=True)
    assert "development" in program_gone("nodemon", held)
    held.state.node_modules["/app/node_modules"] = NodeModules(frozenset({"nodemon"}), frozenset())
    assert program_gone("nodemon", held) == ""
