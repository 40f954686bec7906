"""Where a program is that a stage would start."""

from __future__ import annotations

import pytest

from smoke.static.model.doubt import DoubtCause
from smoke.static.model.filesystem import PathEntry
from smoke.static.model.programs import Lacking
from tests.smoke.static.model.staged import stage


@pytest.mark.parametrize(
    ("reference", "name", "found"),
    [
        ("python:3.12-slim", "python", "/usr/local/bin/python"),
        ("python:3.12-slim", "/usr/local/bin/python", "/usr/local/bin/python"),
        ("python:3.12-slim", "curl", ""),
        ("python:3.12-slim", "./run", ""),
        ("python:3.12-alpine", "bash", ""),
        ("gcr.io/distroless/python3-debian12", "python3.11", "/usr/bin/python3.11"),
        ("gcr.io/distroless/python3-debian12", "sh", ""),
    ],
)
def test_a_program_is_there_or_surely_not(reference: str, name: str, found: str) -> None:
    program = stage(reference).surroundings().find(name)
    assert program.place == found and (found or not program.doubt)


def test_the_first_of_the_path_counts() -> None:
    made = stage()
    made.files.add("/opt/bin/python", PathEntry("file", mode=0o755, line=1))
    made.environment["PATH"] = "/opt/bin:/usr/local/bin"
    assert made.surroundings().find("python").place == "/opt/bin/python"


def test_what_a_command_may_have_brought_is_in_doubt() -> None:
    made = stage()
    made.files.suspect("/usr/local/bin", "something ran", DoubtCause.COMMAND)
    assert made.surroundings().find("curl").doubt.cause is DoubtCause.COMMAND


def test_a_link_that_leads_into_doubt_is_in_doubt() -> None:
    made = stage()
    made.files.link("/usr/local/bin/tool", "/usr/share/tool")
    assert made.surroundings().find("tool").doubt


@pytest.mark.parametrize(
    ("first", "says"),
    [
        (b"#!/bin/sh\n", ""),
        (b"#!/usr/bin/env python3\n", ""),
        (b"#!/usr/bin/env -S python3 -u\n", ""),
        (b"#!/bin/sh\r\n", "carriage return"),
        (b"#!/usr/bin/fish\n", "asks for /usr/bin/fish"),
        (b"#!/srv/none\n", "asks for /srv/none"),
        (b"#!/usr/bin/env curl\n", "asks for curl"),
        (b"#!/usr/bin/env python3 -u\n", "several take env -S"),
        (b"\x7fELF", ""),
        (b"#!\n", ""),
    ],
)
def test_the_first_line_of_a_script(first: bytes, says: str) -> None:
    found = stage().surroundings().interpreter(PathEntry("file", "run", line=1), first)
    assert says in found and bool(says) == bool(found)


def test_of_a_slim_image_all_programs_are_known() -> None:
    assert "frobnicate" in Lacking(slim=True) and "frobnicate" not in Lacking()
    assert "ls" not in Lacking(slim=True) and "python3.12" not in Lacking(slim=True)
