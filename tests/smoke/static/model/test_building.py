"""A build under way: what a stage hands on to those built on it, and what Docker would stop at."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import fields

from smoke.static.dockerfile.ignore import Ignore
from smoke.static.dockerfile.instructions import Instruction
from smoke.static.dockerfile.parser import parse
from smoke.static.dockerfile.stages import stages_of
from smoke.static.dockerfile.variables import Variables
from smoke.static.model.bases.catalog import find_base
from smoke.static.model.building import MAX_SHOWN, Building, Made
from smoke.static.model.context import Context
from smoke.static.model.effective_command import Form
from smoke.static.model.filesystem import PathEntry
from smoke.tree import Tree


def made_of(reference: str) -> Made:
    return Made(find_base(reference, ()), reference, Variables())


@pytest.fixture
def building(tmp_path: Path) -> Building:
    parsed = parse("FROM python:3.12-slim\nRUN true\n")
    return Building(Context(Tree(tmp_path), "", Ignore()), parsed, stages_of(parsed, {}), ())


def test_a_stage_begins_with_what_its_base_is() -> None:
    made = made_of("python:3.12-slim")
    assert (made.state.user, made.state.python, made.state.libc) == ("0", "3.12", "glibc")
    assert made.command == ("python3",) and made.entrypoint == () and made.command_form is Form.EXEC
    assert "/usr/local/bin" in made.state.environment["PATH"].split(":")
    assert made.variables.environment["PATH"] == made.state.environment["PATH"], "a later ENV can add to it"
    plain = made_of("gcr.io/distroless/python3-debian12:nonroot")
    assert plain.entrypoint == ("/usr/bin/python3.11",) and plain.state.homes["65532"] == "/home/nonroot"


def test_of_an_unknown_base_nothing_is_known() -> None:
    """Neither its user nor its Python: what is not known is never said to be missing."""
    made = made_of("example.org/own:1")
    assert (made.state.user, made.state.python, made.state.sites) == ("", "", ())
    assert made.state.lists is None and not made.state.users_known and made.state.files.doubt("/anything")


def test_a_child_has_all_that_its_parent_had() -> None:
    made = made_of("python:3.12-slim")
    made.entrypoint, made.command_form, made.start_line = ("tini", "--"), Form.SHELL_COMMAND, 4
    made.ports, made.ports_line, made.user_line = [80], 5, 6
    child = made.child()
    for each in fields(made.state):
        if each.name != "files":
            assert getattr(child.state, each.name) == getattr(made.state, each.name), each.name
    assert (child.state.files.entries, child.state.files.doubts) == (made.state.files.entries, made.state.files.doubts)
    for name in set(vars(made)) - {"state", "variables"}:
        assert getattr(child, name) == getattr(made, name), name


def test_what_a_child_does_changes_nothing_of_its_parent() -> None:
    """Two stages are built on one: the second one must not see what the first one did."""
    made = made_of("alpine:3.20")
    child = made.child()
    for each in fields(made.state):
        held = None if each.name == "pins" else getattr(made.state, each.name)  # the tree's, whatever the stage
        assert getattr(child.state, each.name) is not held or not isinstance(held, dict | list | set), each.name
    child.state.files.add("/x", PathEntry("file", line=1))
    child.labels.clear()
    child.ports.append(1)
    assert made.state.files.find("/x") is None and made.ports == []


def test_a_failure_is_of_the_stage_in_which_it_happens() -> None:
    made = made_of("python:3.12-slim")
    made.state.fail(3, "curl: command not found", "curl")
    assert made.child().state.failures == [] and len(made.state.failures) == 1


@pytest.mark.parametrize(
    ("text", "value", "refused"),
    [("a", "a", 0), ("$PATH", None, 0), ("${X:-b}", "b", 0), ("${X:?none}", None, 1), ("${", None, 1)],
)
def test_what_cannot_be_expanded_stops_the_build(
    building: Building, text: str, value: str | None, refused: int
) -> None:
    found = building.expand(made_of("python:3.12-slim"), text, building.parsed.instructions[1])
    assert value is None or found.text == value
    assert [each.line for each in building.refused] == [2] * refused


def test_a_long_text_is_shown_by_its_beginning(building: Building) -> None:
    instruction: Instruction = building.parsed.instructions[1]
    building.expand(made_of("python:3.12-slim"), "x" * 999 + "${", instruction)
    [refusal] = building.refused
    assert refusal.message.startswith(f"RUN {'x' * MAX_SHOWN}...: ")
