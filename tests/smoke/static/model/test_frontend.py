"""Where front ends are built to."""

from __future__ import annotations

import json

import pytest

from smoke.static.model.filesystem import FileSystem, PathEntry
from smoke.static.model.frontend import outputs
from smoke.static.model.stage import Stage


def stage(script: str, needs: tuple[str, ...] = ("vite",), **files: str) -> Stage:
    told = {"scripts": {"build": script}, "devDependencies": dict.fromkeys(needs, "*")}
    held = {"package.json": json.dumps(told), **{name.replace("_", "."): text for name, text in files.items()}}
    system = FileSystem()
    for name in held:
        system.add(f"/web/{name}", PathEntry("file", source=name, line=1))
    return Stage(system, workdir="/web", read=lambda path: held[path].encode())


@pytest.mark.parametrize(
    ("script", "place"),
    [
        ("vite build", "dist"),
        ("tsc -b && vite build", "dist"),
        ("react-scripts build", "build"),
        ("vue-cli-service build", "dist"),
    ],
)
def test_builders_have_their_own_directory(script: str, place: str) -> None:
    assert outputs(stage(script), "npm", ["run", "build"]) == [f"/web/{place}", "/web/node_modules"]
    assert outputs(stage(script), "yarn", ["build"]) == [f"/web/{place}", "/web/node_modules"]


@pytest.mark.parametrize(
    ("script", "needs", "config"),
    [
        ("vite build --outDir x", ("vite",), ""),
        ("node build.js && vite build", ("vite",), ""),
        ("vite build", ("vite", "@sveltejs/kit"), ""),
        ("vite build", ("vite",), "export default { build: { outDir: 'x' } }"),
        ("vite build", ("vite",), "import x from 'other-plugin'\nexport default { plugins: [x()] }"),
    ],
)
def test_what_may_go_elsewhere_is_not_told(script: str, needs: tuple[str, ...], config: str) -> None:
    files = {"vite_config_js": config} if config else {}
    assert outputs(stage(script, needs, **files), "npm", ["run", "build"]) is None


def test_an_install_fills_its_own_directory() -> None:
    assert "/web/node_modules" in (outputs(stage("vite build"), "npm", ["ci"]) or [])
    assert outputs(stage("vite build"), "npm", ["ci", "--prefix", "x"]) is None
    assert outputs(Stage(FileSystem()), "npm", ["ci"]) is None
    assert outputs(stage("vite build"), "make", ["ci"]) is None
