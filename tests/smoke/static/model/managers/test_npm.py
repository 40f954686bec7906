"""What npm refuses."""

from __future__ import annotations

import json

from smoke.static.model.managers.npm import npm_refusal, script_text


def refused(line: str, files: dict[str, str], *, locked: bool = True) -> str:
    return npm_refusal(line.split(), files.get, lambda name: name in files, locked=locked)


def test_ci_goes_by_a_lock_file_that_the_tree_has() -> None:
    assert "package-lock.json" in refused("ci --omit=dev", {"package.json": "{}"})
    assert refused("ci", {"package-lock.json": "{}"}) == ""
    assert refused("ci", {}, locked=False) == ""


def test_scripts_are_those_of_package_json() -> None:
    files = {"package.json": json.dumps({"scripts": {"build": "vite build"}})}
    assert refused("run build", files) == ""
    assert "no script serve: it has build" in refused("run serve", files)
    assert "no script start" in refused("start", files)
    assert refused("start", {**files, "server.js": ""}) == ""
    assert "reads package.json" in refused("run build", {})


def test_what_is_elsewhere_or_not_told_is_no_fault() -> None:
    files = {"package.json": json.dumps({"scripts": {"build": "x"}})}
    for line in ("run x --if-present", "run x -w web", "--prefix web run x", "run $NAME", "install", "exec x", ""):
        assert refused(line, files) == "", line
    for text in ("{}", "[]", "{", '{"scripts": []}'):
        assert refused("run x", {"package.json": text}) == ""


def test_what_a_script_does() -> None:
    told = json.dumps({"scripts": {"start": "node src/index.js", "dev": "nodemon x.js", "odd": ["x"]}})
    files = {"package.json": told}
    assert script_text(["start"], files.get) == "node src/index.js"
    assert script_text(["run", "dev"], files.get) == "nodemon x.js"
    assert script_text(["run", "odd"], files.get) == script_text(["start", "--prefix=web"], files.get) == ""
    assert script_text(["start"], dict[str, str]().get) == ""
