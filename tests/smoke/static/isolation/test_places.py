"""What kind of file a path names."""

from __future__ import annotations

import pytest

from smoke.static.isolation.places import Comments, FileKind, comments_of, kind_of, suffix


@pytest.mark.parametrize(
    ("path", "start", "kind"),
    [
        ("a/b.py", "", FileKind.PYTHON),
        ("run", "#!/usr/bin/env python3\n", FileKind.PYTHON),
        ("run", "#!/bin/sh\n", FileKind.CODE),
        ("run", "", FileKind.CONFIGURATION),
        ("a.ts", "", FileKind.CODE),
        ("README", "", FileKind.PROSE),
        ("README.md", "", FileKind.PROSE),
        ("requirements-dev.txt", "", FileKind.DEPENDENCIES),
        ("requirements/base.txt", "", FileKind.DEPENDENCIES),
        ("notes.txt", "", FileKind.PROSE),
        ("web/package.json", "", FileKind.DEPENDENCIES),
        ("uv.lock", "", FileKind.DEPENDENCIES),
        ("Cargo.toml", "", FileKind.DEPENDENCIES),
        ("config.json", "", FileKind.CONFIGURATION),
        ("compose.yaml", "", FileKind.CONFIGURATION),
    ],
)
def test_kinds(path: str, start: str, kind: FileKind) -> None:
    assert kind_of(path, start) is kind


@pytest.mark.parametrize(
    ("path", "comments"),
    [
        ("a.py", Comments.HASH),
        ("a.js", Comments.SLASHES),
        ("a.sql", Comments.DASHES),
        ("a.html", Comments.MARKUP),
        ("a.json", Comments.NONE),
        ("go.mod", Comments.SLASHES),
        ("pom.xml", Comments.MARKUP),
        ("Makefile", Comments.HASH),
    ],
)
def test_how_comments_are_marked(path: str, comments: Comments) -> None:
    assert comments_of(path) is comments


@pytest.mark.parametrize(
    ("path", "last"), [("a.PY", ".py"), ("a.tar.gz", ".gz"), (".env", ""), ("a.b/c", ""), ("a.", "."), ("", "")]
)
def test_suffix(path: str, last: str) -> None:
    assert suffix(path) == last
