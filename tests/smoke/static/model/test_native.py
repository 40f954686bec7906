"""Programs that a build links, and the images that can load them."""

from __future__ import annotations

import pytest

from smoke.static.model.doubt import DoubtCause
from smoke.static.model.filesystem import PathEntry
from smoke.static.model.native import follow, toolchain_of, unloadable
from smoke.static.model.stage import Stage
from tests.smoke.static.model.linking import linked
from tests.smoke.static.model.staged import stage

MAIN = {"go.mod": "module example.com/x\n", "main.go": "package main\n"}


@pytest.mark.parametrize(
    ("reference", "toolchain"),
    [
        ("golang:1.22", "go"),
        ("docker.io/library/golang:1.22-bookworm", "go"),
        ("golang", "go"),
        ("golang:1.22-alpine3.20", ""),
        ("golang:1.22-windowsservercore", ""),
        ("rust:1-slim", "rust"),
        ("rust:alpine", ""),
        ("mygolang:1", ""),
    ],
)
def test_images_of_a_toolchain(reference: str, toolchain: str) -> None:
    assert toolchain_of(reference) == toolchain


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("gcc -o /x main.c", ["/x"]),
        ("cc main.c", ["/a.out"]),
        ("gcc -static -o /x main.c", []),
        ("gcc -c main.c", []),
        ("gcc -shared -o /x.so main.c", []),
        ("gcc --version", []),
    ],
)
def test_compilers_of_c(line: str, wanted: list[str]) -> None:
    assert linked(line, {}) == wanted


def image(**fields: object) -> Stage:
    made = stage("alpine:3.20")
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def test_a_program_needs_the_loader_of_its_library() -> None:
    entry = PathEntry("file", libc="glibc")
    assert "linked with glibc" in unloadable(entry, image())
    assert unloadable(PathEntry("file"), image()) == unloadable(PathEntry("file", libc="musl"), image()) == ""
    assert unloadable(entry, image(packages=("gcompat",))) == ""
    held = image()
    held.files.add("/lib64/ld-linux-x86-64.so.2", PathEntry("file", line=1))
    assert unloadable(entry, held) == ""
    unsure = image()
    unsure.files.suspect("/", "something ran", DoubtCause.COMMAND)
    assert unloadable(entry, unsure) == ""


def test_a_program_is_for_one_machine() -> None:
    made = stage("debian:12", MAIN)
    assert follow(made, "go", ["build", "-o", "/x", "."], 3, {"GOARCH": "amd64", "CGO_ENABLED": "0"})
    entry = made.files.entries["/x"]
    assert (entry.libc, entry.machine) == ("", "x86_64")
    assert "exec format error" in unloadable(entry, image(machine="aarch64"))
    assert unloadable(entry, image(machine="x86_64")) == unloadable(entry, image()) == ""


def test_commands_that_write_elsewhere_are_not_followed() -> None:
    made = stage("debian:12", MAIN)
    assert not follow(made, "go", ["generate"], 3, {})
    assert not follow(made, "make", [], 3, {})
    assert follow(made, "go", ["mod", "download"], 3, {})
    assert made.files.doubt("/go/pkg") and not made.files.doubt("/main.go")
