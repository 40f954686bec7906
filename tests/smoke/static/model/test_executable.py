"""Programs that a start names: where they are, and why they could not be executed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smoke.static.model.bases.catalog import find_base
from smoke.static.model.doubt import DoubtCause
from smoke.static.model.executable import Executable, absent, find_program, is_odd, may_execute, not_executable
from smoke.static.model.filesystem import PathEntry
from smoke.static.model.scene import Scene
from smoke.static.model.script import run
from smoke.static.model.stage import Stage
from smoke.static.python.installed import Installed
from smoke.tree import Tree
from tests.smoke.static.model.staged import followed, stage

REFERENCE = "python:3.12-slim"


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    return Tree(tmp_path_factory.mktemp("tree"))


def scene_of(tree: Tree, made: Stage, reference: str = REFERENCE, depth: int = 0) -> Scene:
    installed = Installed(tree, tuple(made.installs), (3, 12), "Dockerfile")
    return Scene(find_base(reference, ()), made, installed, depth)


@pytest.mark.parametrize(
    ("script", "name", "place"),
    [
        ("true", "python", "/usr/local/bin/python"),
        ("true", "/usr/local/bin/python3", "/usr/local/bin/python3"),
        ("pip install gunicorn", "gunicorn", "/usr/local/bin/gunicorn"),
        ("pip install flask", "gunicorn", ""),
        ("true", "frobnicate", ""),
        ("mkdir /own && touch /own/run", "/own/run", "/own/run"),
        ("mkdir -p /own/run", "/own/run", ""),
    ],
)
def test_a_program_is_where_it_is_or_surely_nowhere(tree: Tree, script: str, name: str, place: str) -> None:
    """What an installer put there is told by what was installed; a directory is no program."""
    found = find_program(name, scene_of(tree, followed(script)))
    assert (found.place, found.doubt) == (place, "")
    assert (found.brought is not None) == (name == place.rpartition("/")[2] == "gunicorn")


def test_what_may_be_there_is_in_doubt(tree: Tree) -> None:
    assert find_program("frobnicate", scene_of(tree, followed("./setup"))).doubt
    made = stage()
    unknown = Scene(None, made, Installed(tree, (), None, "Dockerfile"))
    assert "the base image is unknown" in find_program("frobnicate", unknown).doubt
    made.files.link("/usr/local/bin/tool", "/own/tool")
    made.files.suspect("/own", "something ran", DoubtCause.COMMAND)
    assert "something ran" in find_program("tool", scene_of(tree, made)).doubt


@pytest.mark.parametrize(
    ("word", "odd"), [("python", False), ("./a-b_c.py", False), ("python a", True), ("$X", True), ('["python"', True)]
)
def test_words_that_no_program_is_named(word: str, odd: bool) -> None:
    assert is_odd(word) is odd


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("python a.py", "is one word of an exec form"),
        ("$HOME/run", "which no shell reads"),
        ("'python'", "an exec form that is not JSON"),
        ("frobnicate", "frobnicate is not in the image (on its PATH)"),
        ("/own/run", "/own/run is not in the image"),
        ("/own/link", "/own/link is a link to /own/gone, which the image does not have"),
    ],
)
def test_why_a_word_starts_nothing(tree: Tree, word: str, says: str) -> None:
    made = stage()
    made.files.link("/own/link", "/own/gone")
    found = absent(word, scene_of(tree, made))
    assert says in found and found.endswith("(on its PATH)") == ("/" not in word and not is_odd(word))


@given(st.integers(0, 0o777), st.sampled_from([None, 0, 1000, 7]), st.sampled_from(["", "0", "1000", "ghost"]))
def test_a_program_is_refused_only_to_whom_the_kernel_refuses_it(mode: int, owner: int | None, user: str) -> None:
    """The owner goes by the first three bits alone. The groups of a user are not known: theirs or the last may do."""
    made = stage()
    made.user = user
    allowed = may_execute(PathEntry("file", user=owner, mode=mode), made)
    number = made.number(user) if user else None
    if number in (None, 0) or owner is None:
        assert allowed == bool(mode & 0o111)
    else:
        assert allowed == bool(mode & (0o100 if owner == number else 0o011))


@pytest.mark.parametrize(
    ("first", "depth", "says"),
    [
        ("#!/bin/sh\n", 0, ""),
        ("#!/usr/bin/fish\n", 0, "its first line asks for /usr/bin/fish"),
        ("echo\n", 0, "exec format error"),
        ("echo\n", 1, ""),
        ("\x7fELF\0", 0, ""),
        ("", 0, ""),
    ],
)
def test_what_a_file_begins_with_says_whether_it_can_be_executed(tree: Tree, first: str, depth: int, says: str) -> None:
    """A shell runs a text without `#!` itself; whoever starts the container does not."""
    made = stage(files={"run": first})
    made.files.entries["/run"] = PathEntry("file", "run", mode=0o755, line=1)
    found = not_executable(Executable("/run"), scene_of(tree, made, depth=depth))
    assert says in found and bool(says) == bool(found)


@pytest.mark.parametrize(
    ("script", "user", "says"),
    [
        ("mkdir /own && touch /own/run && chmod 755 /own/run", "1000", ""),
        ("mkdir /own && touch /own/run", "1000", "not executable (mode 644): permission denied"),
        ("mkdir /own && touch /own/run", "0", "not executable (mode 644): permission denied"),
        ("mkdir -m 700 /own && touch /own/run && chmod 755 /own/run", "1000", "/own is closed to all but its owner"),
        ("mkdir -m 700 /own && touch /own/run && chmod 755 /own/run", "0", ""),
        ("mkdir -m 710 /own && touch /own/run && chmod 755 /own/run", "1000", ""),
        ("mkdir -m 701 /own && touch /own/run && chmod 755 /own/run", "1000", ""),
        ("mkdir -m 700 /own && chown 1000 /own && touch /own/run && chmod 755 /own/run", "1000", ""),
        ("mkdir -m 700 /own && chown ghost /own && touch /own/run && chmod 755 /own/run", "1000", ""),
    ],
)
def test_bits_and_directories_that_keep_a_user_out(tree: Tree, script: str, user: str, says: str) -> None:
    made = stage()
    run(made, script, 7, {})
    made.user = user
    found = not_executable(Executable("/own/run"), scene_of(tree, made))
    assert says in found and bool(says) == bool(found)


def test_a_program_names_the_python_that_it_was_made_for(tree: Tree) -> None:
    """What pip installs begins with the Python that installed it: copied elsewhere, it is not there."""
    made = followed("python -m venv /venv && /venv/bin/pip install gunicorn")
    scene = scene_of(tree, made)
    program = find_program("/venv/bin/gunicorn", scene)
    assert program.place and not_executable(program, scene) == ""
    assert program.brought is not None
    made.files.remove(program.brought.install.interpreter)
    assert "/venv/bin/gunicorn was made for /venv/bin/python" in not_executable(program, scene)
