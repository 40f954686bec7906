"""The directories that services are made of are there, and nothing that is copied is empty."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke.cases import Changes, outcomes, says

MANIFEST = '[[service]]\nname = "one"\ndockerfile = "Dockerfile"\ndirectories = {}\n'


@pytest.mark.parametrize(
    ("named", "more", "outcome", "words"),
    [
        ('["app"]', {"app/a.py": "x = 1\n"}, "passed", "app holds code"),
        ('["./app/"]', {"app/a.py": "x = 1\n"}, "passed", "app holds code"),
        ('["app"]', {"app/deep/down/a.py": "x = 1\n"}, "passed", ""),
        ('["app"]', {}, "critical", "there is no directory app"),
        ('["app"]', {"app": "a file"}, "critical", "there is no directory app"),
        ('["app"]', {"app/README.md": "x"}, "critical", "app holds no code"),
        ('["app"]', {"app/__init__.py": " \n"}, "critical", "app holds no code"),
        ('["app", "lib"]', {"app/a.py": "x = 1\n"}, "critical", "there is no directory lib"),
        ("[]", {}, "skipped", "the manifest names no directories"),
    ],
)
def test_directories(tmp_path: Path, named: str, more: Changes, outcome: str, words: str) -> None:
    """An empty `__init__.py` is what remains of a service that was never written."""
    files: Changes = {"smoke.toml": MANIFEST.format(named), "Dockerfile": "FROM python:3.12-slim\n", **more}
    assert says(tmp_path, files, "layout.directories", outcome, words)


@pytest.mark.parametrize(
    ("lines", "outcome", "words"),
    [
        ("COPY full /x", "passed", "1 copied directories hold files"),
        ("COPY empty /x", "critical", "empty is copied into the image and holds nothing"),
        ("COPY full empty /x/", "critical", "empty is copied into the image and holds nothing"),
        ("COPY empty full /x/", "critical", "empty is copied into the image and holds nothing"),
        ("COPY full /x\nCOPY empty /x", "critical", "empty is copied into the image and holds nothing"),
        ("COPY full full /x/", "passed", "1 copied directories hold files"),
        ("COPY full/a.txt /x/", "passed", "0 copied directories"),
        ("WHAT", "skipped", "the Dockerfile cannot be followed"),
    ],
)
def test_what_is_copied_holds_something(tmp_path: Path, lines: str, outcome: str, words: str) -> None:
    (tmp_path / "empty").mkdir()
    files: Changes = {"Dockerfile": f"FROM python:3.12-slim\n{lines}\n", "full/a.txt": ""}
    assert says(tmp_path, files, "layout.empty", outcome, words)


def test_each_directory_is_told_on_its_own(tmp_path: Path) -> None:
    named = MANIFEST.format('["a", "b", "c"]')
    files: Changes = {"smoke.toml": named, "Dockerfile": "FROM python:3.12-slim\n", "a/x.py": "x = 1\n", "c/x.md": ""}
    found = outcomes(tmp_path, files, "layout.directories")
    assert sorted(kind for kind, _ in found) == ["critical", "critical", "passed"]
