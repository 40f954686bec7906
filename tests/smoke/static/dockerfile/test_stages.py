"""The stages of a Dockerfile: names, parents, and what the final one needs."""

from __future__ import annotations

import pytest

from smoke.static.dockerfile.parser import parse
from smoke.static.dockerfile.stages import Stages, mounts, stages_of

TEXT = """ARG BASE=python
FROM $BASE AS Deps
FROM deps AS build
COPY --from=alpine /a /a
FROM scratch AS unused
FROM node
COPY --from=build /x /x
RUN --mount=from=1,target=/y true
COPY --from=0 /z /z
"""


def stages(text: str = TEXT, **given: str) -> Stages:
    return stages_of(parse(text), given)


def test_a_stage_is_found_by_its_name_in_any_case_or_by_its_number() -> None:
    found = stages()
    assert [each.name for each in found.stages] == ["deps", "build", "unused", ""]
    assert [each.parent for each in found.stages] == [None, 0, None, None]
    for reference in ("DEPS", "deps", "0"):
        stage = found.named(reference, 3)
        assert stage is not None and stage.index == 0
    assert found.named("build", 1) is None, "only stages before it"
    assert found.named("3", 3) is None and found.named("-1", 3) is None


def test_a_stage_begins_with_the_triggers_of_the_one_that_it_is_built_on() -> None:
    found = stages("FROM a AS x\nONBUILD COPY b c\nONBUILD RNU d\nFROM x AS y\nUSER u\nFROM y\n")
    assert [[each.keyword for each in stage.instructions] for stage in found.stages[1:]] == [["COPY", "USER"], []]


def test_of_two_stages_of_a_name_the_later_one_counts() -> None:
    found = stages("FROM a AS x\nFROM b AS x\nFROM x\n")
    assert found.stages[2].parent == 1


def test_a_stage_needs_what_it_is_built_on_and_copies_from() -> None:
    found = stages()
    assert [each.index for each in found.needed(found.stages[3])] == [0, 1, 3]
    assert [each.index for each in found.needed(found.stages[2])] == [2]


def test_the_target_is_the_last_one_or_the_one_asked_for() -> None:
    found = stages()
    assert found.target(None) is found.stages[3] and found.target("deps") is found.stages[0]
    assert found.target("lost") is None and stages("# nothing\n").target(None) is None


def test_arguments_before_the_first_from_name_the_base() -> None:
    assert stages().stages[0].reference == "python"
    assert stages(BASE="pypy").stages[0].reference == "pypy"
    assert stages("FROM python:$TAG\n").stages[0].unset == ("TAG",)


@pytest.mark.parametrize(
    ("flag", "options"),
    [
        ("type=cache,dst=/x", {"type": "cache", "target": "/x"}),
        ("src=a,destination=/x", {"type": "bind", "source": "a", "target": "/x"}),
        (
            "from=build,source=a,target=/x,ro",
            {"type": "bind", "from": "build", "source": "a", "target": "/x", "ro": ""},
        ),
    ],
)
def test_the_options_of_a_mount_by_their_long_names(flag: str, options: dict[str, str]) -> None:
    instruction = parse(f"FROM x\nRUN --mount={flag} true\n").instructions[1]
    assert options.items() <= mounts(instruction)[0].items()
