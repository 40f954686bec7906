"""What a source of COPY means in a build context: Go's patterns, links, and what .dockerignore leaves out."""

from __future__ import annotations

from pathlib import Path

import pytest

from smoke.static.dockerfile.ignore import Ignore, ignore_of, parse_ignore
from smoke.static.model.build_failure import Lack
from smoke.static.model.context import Context
from smoke.static.model.copyorder import CopyOrder, CopySelection
from smoke.static.model.filesystem import FileSystem
from smoke.tree import Tree
from tests.smoke.cases import Changes, Link, Script, write_files

FILES: Changes = {"a.py": "", "d/b.py": "", "d/e/c.txt": "", "d/e/run": Script(""), "empty/x/.keep": ""}


def context(folder: Path, directory: str = "", files: Changes = FILES) -> Context:
    tree = Tree(write_files(folder, files))
    return Context(tree, directory, ignore_of(tree, directory, "Dockerfile"))


GO = [
    ("*", "abc", True),
    ("*c", "abc", True),
    ("a*", "a", True),
    ("a*", "ab/c", False),
    ("a*/b", "abc/b", True),
    ("a*/b", "a/c/b", False),
    ("a*b*c*d*e*/f", "axbxcxdxe/f", True),
    ("a*b?c*x", "abxbbxdbxebxczzx", True),
    ("a*b?c*x", "abxbbxdbxebxczzy", False),
    ("ab[c]", "abc", True),
    ("ab[b-d]", "abc", True),
    ("ab[e-g]", "abc", False),
    ("ab[^c]", "abc", False),
    ("ab[^e-g]", "abc", True),
    ("ab[!c]", "abc", True),
    ("ab[!c]", "abd", False),
    ("a\\*b", "a*b", True),
    ("a\\*b", "axb", False),
    ("a?b", "a\N{WHITE SMILING FACE}b", True),
    ("a?b", "a/b", False),
    ("a[^a]b", "a\N{WHITE SMILING FACE}b", True),
    ("a???b", "a\N{WHITE SMILING FACE}b", False),
    ("[\\]a]", "]", True),
    ("[\\]a]", "a", True),
    ("[\\-]", "-", True),
    ("[x\\-]", "x", True),
    ("[x\\-]", "z", False),
    ("[\\-x]", "a", False),
    ("[]a]", "]", False),
    ("[]a]", "a", False),
    ("[", "a", False),
    ("[^bc", "a", False),
    ("a[", "a", False),
    ("*x", "xxx", True),
]
"""Of the table that Go's own `filepath.Match` is tested with; `[!` takes that letter as any other."""


@pytest.mark.parametrize(("pattern", "name", "matched"), GO)
def test_patterns_mean_what_go_s_mean(tmp_path: Path, pattern: str, name: str, matched: bool) -> None:
    assert (name in context(tmp_path, files={name: ""}).sources(pattern)) is matched


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        (".", [""]),
        ("./", [""]),
        ("a.py", ["a.py"]),
        ("/a.py", ["a.py"]),
        ("./d/../a.py", ["a.py"]),
        ("../../a.py", ["a.py"]),
        ("d", ["d"]),
        ("d/*", ["d/b.py", "d/e"]),
        ("*/b.*", ["d/b.py"]),
        ("none", []),
        ("none*", []),
    ],
)
def test_sources_are_of_the_context(tmp_path: Path, pattern: str, found: list[str]) -> None:
    """What leaves the context begins at its root again, as Docker has it."""
    assert context(tmp_path).sources(pattern) == found


def test_a_context_within_the_tree_has_what_is_below_it_alone(tmp_path: Path) -> None:
    below = context(tmp_path, "d")
    assert below.sources("b.py") == ["d/b.py"] and below.sources("../a.py") == []
    assert below.sources("*") == ["d/b.py", "d/e"] and below.inside("d/e/c.txt") == "e/c.txt"


def test_a_link_is_followed_within_the_context_and_not_out_of_it(tmp_path: Path) -> None:
    files: Changes = {**FILES, "d/in": Link("e/c.txt"), "d/out": Link("../a.py"), "d/far": Link("/etc/passwd")}
    below = context(tmp_path, "d", files)
    assert below.sources("in") == ["d/e/c.txt"]
    assert below.sources("out") == below.sources("far") == []


RULES = ["*.py", "d", "d\n!d/e/c.txt", "**/e", "*\n!d/b.py", "", "d/e/*\n!d/e/run", "*/e\n*.py\n!a.py"]


@pytest.mark.parametrize("rules", RULES)
@pytest.mark.parametrize("directory", ["", "d", "d/e"])
def test_files_below_a_directory_are_those_that_the_rules_let_through_one_by_one(
    tmp_path: Path, rules: str, directory: str
) -> None:
    """They are walked with the rules in step; asked one by one it is the same, and slow."""
    tree = Tree(write_files(tmp_path, FILES))
    made = Context(tree, "", Ignore(".dockerignore", parse_ignore(rules)))
    assert sorted(made.files(directory)) == [each for each in tree.files(directory) if made.keeps(each)]


def copied(
    made: Context, sources: list[str], *, into: bool = False, selection: CopySelection | None = None
) -> FileSystem:
    files = FileSystem()
    order = CopyOrder(
        sources=tuple(sources), place="/x", into=into, user=7, mode=None, line=3, selection=selection or CopySelection()
    )
    assert made.copy(files, order) == []
    return files


def test_what_is_copied_has_its_source_its_owner_and_its_mode(tmp_path: Path) -> None:
    files = copied(context(tmp_path), ["d"])
    entry = files.entries["/x/e/run"]
    assert (entry.source, entry.user, entry.mode, entry.line) == ("d/e/run", 7, 0o755, 3)
    assert files.entries["/x/e"].kind == "directory" and files.entries["/x/b.py"].mode == 0o644
    assert "/x/d" not in files.entries, "a directory's content is copied, not the directory"


def test_several_sources_go_into_a_directory(tmp_path: Path) -> None:
    assert {*copied(context(tmp_path), ["*"]).entries} >= {"/x/a.py", "/x/b.py"}
    assert {*copied(context(tmp_path / "b"), ["a.py"], into=True).entries} == {"/x", "/x/a.py"}
    assert {*copied(context(tmp_path / "c"), ["a.py"]).entries} == {"/x"}


@pytest.mark.parametrize(
    ("pattern", "place"),
    [
        ("d/e/c.txt", "/x/d/e/c.txt"),
        ("d/./e/c.txt", "/x/e/c.txt"),
        ("./d/e/c.txt", "/x/d/e/c.txt"),
        ("d/e/./c.txt", "/x/c.txt"),
        ("d/e", "/x/d/e/c.txt"),
        ("d/./e", "/x/e/c.txt"),
    ],
)
def test_parents_are_kept_from_the_pivot_on(tmp_path: Path, pattern: str, place: str) -> None:
    assert place in copied(context(tmp_path), [pattern], selection=CopySelection(parents=True)).entries


def test_what_is_excluded_is_left_out_below_a_source(tmp_path: Path) -> None:
    without = Ignore("", parse_ignore("e\n*.py\n"))
    files = copied(context(tmp_path), ["d", "a.py"], selection=CopySelection(without=without))
    assert {*files.entries} == {"/x"}


@pytest.mark.parametrize(
    ("pattern", "rules", "lack"),
    [
        ("none", "", Lack.CONTEXT),
        ("none*", "", None),
        ("none[", "", None),
        ("a.py", "*.py", Lack.IGNORED),
        ("*.py", "*.py", Lack.IGNORED),
        ("d", "d", Lack.IGNORED),
        ("d", "d\n!d/b.py", None),
        ("empty", "", None),
    ],
)
def test_what_is_not_found_says_whether_it_is_left_out(
    tmp_path: Path, pattern: str, rules: str, lack: Lack | None
) -> None:
    """A pattern may match nothing; a directory counts while something in it is kept."""
    made = context(tmp_path, files={**FILES, ".dockerignore": rules})
    order = CopyOrder(sources=(pattern,), place="/x/", into=True, user=0, mode=None, line=3)
    missing = made.copy(FileSystem(), order)
    assert [each.lack for each in missing] == ([] if lack is None else [lack])
    assert all((each.line, each.source) == (3, pattern) for each in missing)
