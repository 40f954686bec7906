"""Shell text is followed by its grammar: what surely runs, what may, and what cannot be told."""

from __future__ import annotations

import pytest

from smoke.static.model.doubt import DoubtCause
from smoke.static.model.script import run
from tests.smoke.static.model.staged import followed, stage

MADE = {
    "mkdir -p /a/b && cd /a && touch c": {"/a/b", "/a/c"},
    "mkdir '/x y'; touch \"/x y/$N\"": {"/x y", "/x y/v"},
    "(cd /tmp && touch in) && touch out": {"/tmp/in", "/out"},
    "mkdir -p /d/{one,two}": {"/d/one", "/d/two"},
    "echo hello > /etc/note && printf x >> /log": {"/etc/note", "/log"},
    "cat <<E > /made && touch /after\nline\nE": {"/made", "/after"},
    "P=/q; mkdir $P && touch ${P}/r ${NOPE:-/s}": {"/q/r", "/s"},
    "export D=/e; sh -c 'mkdir /inner'; mkdir $D": {"/inner", "/e"},
    "touch /one.py /two.py /three.txt && rm /*.py": {"/three.txt"},
}


@pytest.mark.parametrize(("script", "paths"), MADE.items())
def test_what_commands_make_is_there(script: str, paths: set[str]) -> None:
    files = followed(script, N="v").files
    assert all(files.find(path) is not None for path in paths), sorted(files.entries)
    assert files.find("/one.py") is None and not files.doubts.get("/")


@pytest.mark.parametrize(
    "script",
    [
        'if [ -n "$X" ]; then touch /maybe; fi',
        "for x in a b; do touch /maybe; done",
        "false || touch /maybe",
        "case $X in a) touch /maybe;; esac",
        "f() { touch /maybe; }; f",
        "while read x; do touch /maybe; done",
    ],
)
def test_what_stands_under_a_condition_is_in_doubt(script: str) -> None:
    files = followed(script).files
    assert files.find("/maybe") is None and files.doubt("/maybe").cause is DoubtCause.COMMAND
    assert not files.doubt("/other")


def test_a_program_that_is_not_known_touches_what_it_can_reach() -> None:
    made = stage()
    made.workdir = "/app"
    run(made, "make all DEST=/data", 3, {})
    assert made.files.doubt("/app/x") and made.files.doubt("/data/y") and not made.files.doubt("/elsewhere")


STOPS = {
    "curl e.org": "curl",
    "true && curl e.org && true": "curl",
    "set -e; curl e.org; true": "curl",
    "curl e.org; true": "",
    "curl e.org || true": "",
    "! curl e.org": "",
    "if curl e.org; then true; fi": "",
    "curl e.org | tar x": "",
    "apt-get update && apt-get install -y curl && curl e.org": "",
    "$TOOL --version": "",
    "cp /nowhere /b": "cp",
    "cp $SRC /b": "",
}


@pytest.mark.parametrize(("script", "program"), STOPS.items())
def test_only_what_surely_fails_stops_the_build(script: str, program: str) -> None:
    failures = followed(script).failures
    assert bool(failures) == bool(program)
    assert not failures or program in failures[0].message


@pytest.mark.parametrize("script", ["(" * 20_000, "a && " * 20_000 + "b", "x" * 300_000, "{ " * 500, "\0\udcff"])
def test_nothing_makes_it_crash(script: str) -> None:
    assert followed(script).files.entries
