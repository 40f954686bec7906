"""What .dockerignore leaves out."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smoke.static.dockerfile.ignore import Ignore, ignore_of, parse_ignore
from smoke.tree import Tree
from tests.effort import no_hang


def excluded(text: str, path: str) -> bool:
    return Ignore("", parse_ignore(text)).excludes(path) is not None


@pytest.mark.parametrize(
    ("text", "path", "expected"),
    [
        ("*.md", "README.md", True),
        ("*.md", "docs/README.md", False),
        ("**/*.md", "docs/a/README.md", True),
        ("**/*.md", "README.md", True),
        ("docs", "docs/a/b.txt", True),
        ("docs/", "docs/a/b.txt", True),
        ("/docs", "docs/a", True),
        ("./docs", "docs/a", True),
        ("doc", "docs/a", False),
        ("*\n!app", "app/main.py", False),
        ("*\n!app", "other/main.py", True),
        ("*\n!app\napp/*.pyc", "app/a.pyc", True),
        ("app\n!app/main.py", "app/main.py", False),
        ("app\n!app/main.py", "app/other.py", True),
        ("# app\n\n  \nb", "app", False),
        ("#app", "#app", False),
        ("a?c", "abc", True),
        ("a?c", "a/c", False),
        ("a[bc]d", "abd", True),
        ("a[^bc]d", "abd", False),
        ("a[bc", "ab", False),
        ("\\*.md", "x.md", False),
        ("\\*.md", "*.md", True),
        ("**", "anything/at/all", True),
        ("app/**/test", "app/test", True),
        ("app/**/test", "app/a/b/test/c", True),
        ("app/**/test", "appx/test", False),
        ("**/a*/**/b*/**/*.x", "q/a1/r/b2/c.x", True),
        ("**/a*/**/b*/**/*.x", "q/a1/r/c.x", False),
        ("**/__pycache__", "lucid/chain/__pycache__/x.pyc", True),
        ("**/*.py[cod]", "lucid/chain/x.pyc", True),
        ("**.pyc", "app/a.pyc", True),
        ("**.pyc", "a.pycx", False),
        ("**end", "app/trend/x", True),
        ("**/end", "app/trend/x", False),
        ("**d*", "app/trend", False),
        (r"a[b\]c]d", "a]d", True),
        (r"a[b\]c]d", "abd", True),
        (r"a[b\]c]d", "acd", True),
        ("[[:digit:]]*.md", "1a.md", True),
        ("[[:digit:]]*.md", "a1.md", False),
        ("[^[:digit:]].md", "a.md", True),
        ("[^[:digit:]].md", "1.md", False),
        ("[]a]", "]", True),
        ("[a-]", "-", True),
        ("[!a]", "!", True),
        ("[!a]", "b", False),
        ("[a.b]", ".", True),
        ("[z-a]", "z", False),
        ("[ab*]", "a", False),
        ("\ufeffapp", "app/main.py", True),
        (".", "a", False),
        ("../a", "a", False),
    ],
)
def test_rules(text: str, path: str, expected: bool) -> None:
    assert excluded(text, path) is expected


def test_the_rule_that_decides_has_its_line() -> None:
    rule = Ignore("", parse_ignore("# first\n\n*.md\n!README.md\n")).excludes("CHANGES.md")
    assert rule is not None
    assert rule.line == 3


def test_a_file_of_the_dockerfile_goes_before_the_contexts(tmp_path: Path) -> None:
    (tmp_path / ".dockerignore").write_text("a\n")
    (tmp_path / "Dockerfile.x").write_text("FROM scratch\n")
    assert ignore_of(Tree(tmp_path), "", "Dockerfile.x").path == ".dockerignore"
    (tmp_path / "Dockerfile.x.dockerignore").write_text("b\n")
    own = ignore_of(Tree(tmp_path), "", "Dockerfile.x")
    assert own.excludes("b") and not own.excludes("a")


def test_many_stars_take_no_time() -> None:
    with no_hang():
        assert not excluded("*a*a*a*a*a*a*a*a*a*a*a*b", "a" * 255)
        assert not excluded("**/a/**/a/**/a/**/a/**/a/**/b", "/".join("a" * 200))


@given(st.text(alphabet="ab*?/[]^-\\!.", max_size=12), st.text(alphabet="ab/", min_size=1, max_size=12))
def test_no_pattern_crashes(pattern: str, path: str) -> None:
    excluded(pattern, path)
