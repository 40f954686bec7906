"""What is compiled for one image, in another."""

from __future__ import annotations

from pathlib import Path

import pytest

from smoke.manifest import Manifest
from smoke.static.model.build import images
from smoke.static.model.install import MadeFor
from smoke.static.python.fitting import machine_of, misfits
from smoke.tree import Tree
from tests.smoke.cases import write_files


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (MadeFor("3.12", "glibc", "aarch64"), ""),
        (MadeFor(), ""),
        (MadeFor("3.11"), "Python 3.11"),
        (MadeFor("3.12", "musl"), "musl"),
        (MadeFor("3.12", "glibc", "x86_64"), "x86_64"),
    ],
)
def test_what_is_compiled_for_another_one_does_not_load(made: MadeFor, says: str) -> None:
    found = misfits(made, "3.12", "glibc", "aarch64")
    assert says in found and bool(found) is bool(says)
    assert misfits(made, "", "", "") == "", "what is not known refuses nothing"


@pytest.mark.parametrize(
    ("platform", "machine"),
    [
        ("linux/arm64", "aarch64"),
        ("linux/arm64/v8", "aarch64"),
        ("linux/amd64", "x86_64"),
        ("linux/arm/v7", "armv7l"),
        ("", ""),
    ],
)
def test_machines_as_wheels_name_them(tmp_path: Path, platform: str, machine: str) -> None:
    option = f"--platform={platform} " if platform else ""
    [image] = images(Tree(write_files(tmp_path, {"Dockerfile": f"FROM {option}python:3.12\n"})), Manifest())
    assert machine_of(image) == machine
