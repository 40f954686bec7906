"""What build backends find of a project, and refuse."""

from __future__ import annotations

from typing import Any

import pytest

from smoke.static.model.discovery import unbuildable
from smoke.static.model.filesystem import FileSystem, PathEntry
from smoke.static.model.stage import Stage

HATCH: dict[str, Any] = {"build-system": {"build-backend": "hatchling.build"}, "project": {"name": "Parcel-Service"}}
SETUP: dict[str, Any] = {"build-system": {"build-backend": "setuptools.build_meta"}, "project": {"name": "depot"}}


def stage(*paths: str) -> Stage:
    files = FileSystem()
    for path in ("pyproject.toml", *paths):
        files.add(f"/src/{path}", PathEntry("file", source=path, line=1))
    return Stage(files)


@pytest.mark.parametrize("held", [("app/__init__.py",), ("src/app/__init__.py",), ()])
def test_hatchling_looks_for_the_projects_name(held: tuple[str, ...]) -> None:
    assert "no parcel_service" in unbuildable(stage(*held), "/src", HATCH)


@pytest.mark.parametrize(
    "held",
    [
        ("parcel_service/__init__.py",),
        ("src/parcel_service/__init__.py",),
        ("parcel_service.py",),
        ("Parcel_Service/__init__.py",),
        ("ours/parcel_service/__init__.py",),
        ("app/__init__.py", "hatch.toml"),
    ],
)
def test_hatchling_finds_it(held: tuple[str, ...]) -> None:
    assert unbuildable(stage(*held), "/src", HATCH) == ""


def test_hatchling_is_told_what_to_take() -> None:
    told = {**HATCH, "tool": {"hatch": {"build": {"targets": {"wheel": {"packages": ["app"]}}}}}}
    assert unbuildable(stage("app/__init__.py"), "/src", told) == ""


def test_setuptools_does_not_choose() -> None:
    assert "2 packages beside each other (depot, worker)" in unbuildable(
        stage("depot/__init__.py", "worker/__init__.py"), "/src", SETUP
    )


@pytest.mark.parametrize(
    "held",
    [
        ("depot/__init__.py", "tests/__init__.py"),
        ("depot/__init__.py", "worker/__init__.py", "setup.cfg"),
        ("src/depot/__init__.py", "worker/__init__.py", "depot/__init__.py"),
    ],
)
def test_one_package_is_taken(held: tuple[str, ...]) -> None:
    assert unbuildable(stage(*held), "/src", SETUP) == ""


def test_a_directory_of_data_beside_it_is_taken_for_another() -> None:
    """`FlatLayoutPackageFinder` asks for an identifier as its name, not for Python in it."""
    held = stage("depot/__init__.py", "data/x.csv")
    assert "2 packages beside each other (depot, data)" in unbuildable(held, "/src", SETUP)


def test_a_named_file_is_wanted_too() -> None:
    told = {**HATCH, "project": {"name": "app", "readme": "README.md"}}
    assert "README.md" in unbuildable(stage("app/__init__.py"), "/src", told)


def test_what_is_in_doubt_or_no_package_is_let_be() -> None:
    doubtful = stage("app/__init__.py")
    doubtful.files.suspect("/src", "something", doubtful.files.doubt("/x").cause)
    assert unbuildable(doubtful, "/src", HATCH) == ""
    assert unbuildable(stage("app/__init__.py"), "/src", {"project": {"name": "x"}}) == ""


@pytest.mark.parametrize(
    ("held", "dynamic", "text", "says"),
    [
        ("depot.py", ["version"], b"__version__ = '1'", ""),
        ("src/depot/__init__.py", ["version"], b"", "no __version__"),
        ("depot.py", ["description"], b'# ours\n"""Ours."""', ""),
        ("depot.py", ["description"], b"import os", "docstring"),
        ("other.py", [], b"", "flit finds no module depot"),
    ],
)
def test_flit_takes_version_and_summary_from_the_module(held: str, dynamic: list[str], text: bytes, says: str) -> None:
    told = {"build-system": {"build-backend": "flit_core.buildapi"}, "project": {"name": "depot", "dynamic": dynamic}}
    made = stage(held)
    made.read = lambda path: text
    found = unbuildable(made, "/src", told)
    assert says in found if says else found == ""
