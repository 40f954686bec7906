"""The tree that is judged: what is listed below a directory, what links mean, and where it stops."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smoke import tree as module
from smoke.tree import MAX_READ, MAX_WRITTEN, Tree
from tests.smoke.cases import Files, Link, write_files

FILES = {"a/b.py": "", "a/c/d.py": "", "a-b/x": "", "a.txt": "", "a0/x": "", "ab/x": "", "z": ""}


def test_files_below_a_directory_are_its_own_and_sorted(tmp_path: Path) -> None:
    tree = Tree(write_files(tmp_path, FILES))
    assert list(tree.files("a")) == ["a/b.py", "a/c/d.py"]
    assert list(tree.files("a/c")) == ["a/c/d.py"]
    assert list(tree.files("a-b")) == ["a-b/x"]
    assert list(tree.files("none")) == list(tree.files("z")) == []
    assert list(tree.files()) == sorted(FILES)


@given(st.lists(st.text("a0-./", min_size=1, max_size=6), max_size=12), st.text("a0-./", min_size=1, max_size=4))
def test_what_is_below_a_directory_is_what_begins_with_its_name(paths: list[str], below: str) -> None:
    tree = Tree.__new__(Tree)
    tree.sizes = dict.fromkeys(paths, 0)
    assert list(tree.files(below)) == sorted(path for path in tree.sizes if path.startswith(f"{below}/"))


def test_links_count_where_they_lead_within_the_tree(tmp_path: Path) -> None:
    outside = write_files(tmp_path / "outside", {"f": "secret"})
    files: Files = {
        "a/f": "x",
        "to-file": Link("a/f"),
        "to-folder": Link("a"),
        "out": Link(f"{outside}/f"),
        "up": Link(".."),
    }
    tree = Tree(write_files(tmp_path / "tree", {**files, "loop": Link("loop"), "gone": Link("nothing")}))
    assert sorted(tree.sizes) == ["a/f", "to-file"]
    assert tree.links["out"] == f"{outside}/f" and set(tree.links) >= {"up", "loop", "gone"}
    assert tree.resolve("to-folder/f") == "a/f" and tree.resolve("to-file") == "a/f"
    assert [tree.resolve(each) for each in ("up/outside/f", "out", "loop", "gone", "a/none")] == [None] * 5
    assert tree.resolve("") == "" and tree.resolve("a") == "a"


def test_directories_that_no_build_needs_are_listed_by_name_alone(tmp_path: Path) -> None:
    tree = Tree(write_files(tmp_path, {".git/HEAD": "", "node_modules/x/y.js": "", "src/a": ""}))
    assert list(tree.files()) == ["src/a"]
    assert tree.directories[".git"] == () and ".git" in tree.directories[""]


def test_text_is_read_whatever_it_holds(tmp_path: Path) -> None:
    tree = Tree(write_files(tmp_path, {"mark": b"\xef\xbb\xbfa", "bad": b"a\xff", "large": b"x" * (MAX_READ + 1)}))
    assert tree.text("mark") == "a" and tree.text("bad") == "a\N{REPLACEMENT CHARACTER}"
    assert tree.cut("large") and not tree.cut("mark") and len(tree.data("large")) == MAX_READ
    (tmp_path / "mark").unlink()
    assert Tree(tmp_path).data("mark") == tree.data("never") == b""
    tree.written["a part of another"] = b"text"
    assert tree.is_file("a part of another") and tree.text("a part of another") == "text"


def test_a_limit_says_that_it_stopped_the_listing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_files(tmp_path, {"a/b/c/d": "", **{f"f{number}": "" for number in range(5)}})
    assert not Tree(tmp_path).truncated
    monkeypatch.setattr(module, "MAX_DEPTH", 2)
    deep = Tree(tmp_path)
    assert deep.truncated and not deep.is_file("a/b/c/d")
    monkeypatch.setattr(module, "MAX_DEPTH", 64)
    monkeypatch.setattr(module, "MAX_FILES", 3)
    assert Tree(tmp_path).truncated


def test_texts_within_files_are_held_up_to_a_bound(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    assert tree.keep("Dockerfile:3/a.py", b"x = 1\n", "Dockerfile", 3)
    assert tree.is_file("Dockerfile:3/a.py") and tree.text("Dockerfile:3/a.py") == "x = 1\n"
    assert tree.within == {"Dockerfile:3/a.py": ("Dockerfile", 3)}
    assert (
        not tree.keep("Dockerfile:9/b.py", bytes(MAX_WRITTEN), "Dockerfile", 9)
        and "Dockerfile:9/b.py" not in tree.within
    )
    assert tree.keep("Dockerfile:3/a.py", b"x = 1\n", "Dockerfile", 3), "it is held already"
