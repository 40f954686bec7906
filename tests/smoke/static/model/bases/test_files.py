"""The file system that a stage begins with: what is there, and where more may be."""

from __future__ import annotations

import pytest

from smoke.static.model.bases.catalog import find_base
from smoke.static.model.bases.files import base_files
from smoke.static.model.doubt import DoubtCause
from smoke.static.model.filesystem import FileSystem


def files(reference: str) -> FileSystem:
    return base_files(find_base(reference, ()), reference)


def test_of_an_unknown_base_anything_may_be_anywhere() -> None:
    held = files("example/own:1")
    assert held.find("/bin/sh") is None and held.doubt("/srv/x").cause is DoubtCause.UNKNOWN_BASE


@pytest.mark.parametrize("reference", ["python:3.12-slim", "python:3.12-alpine", "debian:12", "nginx"])
def test_a_distribution_has_a_shell_and_its_directories(reference: str) -> None:
    held = files(reference)
    assert held.find("/bin/sh") is not None
    root, temporary = held.find("/root"), held.find("/tmp")
    assert root is not None and root.mode == 0o700, "closed to all but root"
    assert temporary is not None and temporary.mode == 0o1777
    assert held.doubt("/usr/share/x").cause is DoubtCause.BASE and not held.doubt("/srv/x")


def test_debians_directories_are_merged() -> None:
    assert files("debian:12").resolve("/bin/x") == "/usr/bin/x"
    assert files("alpine:3.20").resolve("/bin/x") == "/bin/x"


def test_of_a_complete_base_no_program_is_in_doubt() -> None:
    held = files("gcr.io/distroless/python3-debian12")
    assert held.find("/bin/sh") is None and not held.doubt("/bin/sh") and not held.doubt("/usr/bin/curl")
    assert held.find("/usr/bin/python3.11") is not None and held.doubt("/usr/lib/x")
    home = held.find("/home/nonroot")
    assert home is not None and (home.user, home.mode) == (65532, 0o700)


def test_scratch_is_empty() -> None:
    held = files("scratch")
    assert held.find("/bin/sh") is None and not held.doubt("/etc/passwd")
