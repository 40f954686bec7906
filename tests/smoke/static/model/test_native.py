"""Programs that a build links, and the images that can load them."""

from __future__ import annotations

import pytest

from smoke.static.model.filesystem import DoubtCause, PathEntry
from smoke.static.model.native import follow, go_refusal, toolchain_of, unloadable
from smoke.static.model.stage import Stage
from tests.smoke.static.model.staged import stage

SERVES = 'package main\n\nimport (\n\t"fmt"\n\tweb "net/http"\n)\n'
FILES = {"go.mod": "module example.com/x\n", "main.go": SERVES, "plain/a.go": 'package plain\nimport "net/url"\n'}


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


def linked(line: str, files: dict[str, str], toolchain: str = "go", **given: str) -> list[str]:
    """Programs that a command links with the C library of its stage."""
    made = stage("debian:12", files)
    made.toolchain = toolchain
    name, *rest = line.split()
    follow(made, name, rest, 3, given)
    return [path for path, entry in made.files.entries.items() if entry.libc]


@pytest.mark.parametrize(
    ("line", "given", "wanted"),
    [
        ("go build -o /x .", {}, ["/x"]),
        ("go build -o=/x", {}, ["/x"]),
        ("go build -tags none -o /x main.go", {}, ["/x"]),
        ("go build -o /tmp/ .", {}, ["/tmp/"]),
        ("go build -o /x ./plain", {}, []),
        ("go build -o /x ./...", {}, []),
        ("go build .", {}, ["/x"]),
        ("go test -o /x .", {}, []),
        ("go build -tags netgo -o /x .", {}, []),
        ("go build -o /x .", {"CGO_ENABLED": "0"}, []),
        ("go build -o /x .", {"GOARCH": "arm64"}, []),
        ("go build -o /x .", {"GOOS": "linux"}, ["/x"]),
        ("go build -o /x .", {"GOFLAGS": "-ldflags=-extldflags=-static"}, []),
        ("go build -o $OUT .", {}, []),
    ],
)
def test_go_links_c_where_it_resolves_names(line: str, given: dict[str, str], wanted: list[str]) -> None:
    assert [each.rstrip("/") for each in linked(line, FILES, **given)] == [each.rstrip("/") for each in wanted]


def test_packages_of_the_own_module_count_and_files_for_other_systems_do_not() -> None:
    own = {**FILES, "main.go": 'package main\nimport "example.com/x/web"\n', "web/w.go": SERVES}
    assert linked("go build -o /x .", own) == ["/x"]
    other = {
        "main.go": "package main\n",
        "main_windows.go": SERVES,
        "main_test.go": SERVES,
        "b.go": f"//go:build x\n{SERVES}",
    }
    assert linked("go build -o /x .", other) == []


@pytest.mark.parametrize(
    ("line", "given", "wanted"),
    [
        ("cargo build --release", {}, ["/target/release/a", "/target/release/b"]),
        ("cargo build", {}, ["/target/debug/a", "/target/debug/b"]),
        ("cargo install --path .", {}, ["/usr/local/cargo/bin/a", "/usr/local/cargo/bin/b"]),
        ("cargo build --release --target x86_64-unknown-linux-musl", {}, []),
        ("cargo build --release", {"RUSTFLAGS": "-C target-feature=+crt-static"}, []),
        ("cargo test", {}, []),
    ],
)
def test_cargo_links_with_the_library_of_its_image(line: str, given: dict[str, str], wanted: list[str]) -> None:
    held = {"Cargo.toml": '[package]\nname = "a"\n[[bin]]\nname = "b"\n'}
    assert linked(line, held, "rust", **given) == wanted
    assert linked(line, held, "", **given) == []


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
    made = stage("debian:12", FILES)
    assert follow(made, "go", ["build", "-o", "/x", "."], 3, {"GOARCH": "amd64", "CGO_ENABLED": "0"})
    entry = made.files.entries["/x"]
    assert (entry.libc, entry.machine) == ("", "x86_64")
    assert "exec format error" in unloadable(entry, image(machine="aarch64"))
    assert unloadable(entry, image(machine="x86_64")) == unloadable(entry, image()) == ""


def test_commands_that_write_elsewhere_are_not_followed() -> None:
    made = stage("debian:12", FILES)
    assert not follow(made, "go", ["generate"], 3, {})
    assert not follow(made, "make", [], 3, {})
    assert follow(made, "go", ["mod", "download"], 3, {})
    assert made.files.doubt("/go/pkg") and not made.files.doubt("/main.go")


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"main.go": "package main\n//go:embed web/*.html\nvar x embed.FS\n"}, "embeds web/*.html"),
        ({"main.go": "package main\n//go:embed web/*.html\nvar x embed.FS\n", "web/a.html": ""}, ""),
        ({"main.go": "package main\n//go:embed all:web\nvar x embed.FS\n", "web/a.html": ""}, ""),
        ({"main.go": 'package main\nimport "example.com/x/web"\n'}, "there is no /web"),
        ({"main.go": 'package main\nimport "example.com/x/web"\n', "web/w.go": "package web\n"}, ""),
        ({"main.go": 'package main\nimport "example.com/other"\n'}, ""),
    ],
)
def test_what_a_package_needs_is_there(files: dict[str, str], says: str) -> None:
    held = stage("debian:12", {"go.mod": FILES["go.mod"], **files})
    found = go_refusal(held, ["build", "."])
    assert says in found and bool(says) is bool(found), found
