"""Whether files are syntax of a version of Python."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from smoke.static.python.syntax import Syntax
from smoke.tree import Tree
from tests.smoke.cases import write_files

SINCE = {
    "if (x := 1): pass\n": 8,
    "def f(a, /): ...\n": 8,
    "with (open('a') as b, open('c') as d): pass\n": 9,
    "match x:\n    case 1: pass\n": 10,
    "try: pass\nexcept* ValueError: pass\n": 11,
    "type A = int\n": 12,
    "def f[T](x: T) -> T: return x\n": 12,
    "f'{'a'}'\n": 12,
}
"""Texts, with the minor version that first takes them."""


def refused(folder: Path, text: str, minor: int) -> bool:
    return bool(Syntax(Tree(write_files(folder, {"a.py": text}))).problems(["a.py"], (3, minor)))


@pytest.mark.parametrize(("text", "since"), SINCE.items())
def test_what_a_version_brought_the_one_before_refuses(tmp_path: Path, text: str, since: int) -> None:
    assert refused(tmp_path, text, since - 1) and not refused(tmp_path, text, since)


@pytest.mark.parametrize(
    "text",
    [
        *SINCE,
        *("x = (\n", "return 1\n", "yield 1\n", "break\n", "def f():\n    x = 1\n    global x\n", "x = 1\n", ""),
        *("continue\n", "for x in y:\n    def f():\n        break\n", "while x: pass\nelse:\n    break\n"),
        *("def f():\n    await x\n", "try: pass\nexcept: pass\nexcept ValueError: pass\n", "a, *b, *c = x\n"),
        *("from __future__ import nothing\n", "x = 1\nfrom __future__ import annotations\n"),
        *("def f():\n    from a import *\n", "def f(a, a): ...\n", "class A:\n    return 1\n"),
        *("async = 1\n", "print 'a'\n", "def f():\n    return 1\n", "nonlocal x\n", "\tx = 1\n  y = 2\n", "# \u00e9\n"),
    ],
)
def test_of_the_host_s_own_version_its_compiler_says_the_same(tmp_path: Path, text: str) -> None:
    try:
        compile(text, "a.py", "exec", dont_inherit=True)
        fine = True
    except SyntaxError:
        fine = False
    assert refused(tmp_path, text, sys.version_info[1]) is not fine


@pytest.mark.parametrize(("minor", "taken"), [(5, False), (7, False), (15, True), (40, True)])
def test_versions_beyond_those_that_are_known_count_as_the_nearest(tmp_path: Path, minor: int, taken: bool) -> None:
    assert refused(tmp_path, "type A = int\n", minor) is not taken


def test_the_first_problem_of_each_file_and_its_line(tmp_path: Path) -> None:
    files = {"a.py": "x = 1\nreturn x\nyield x\n", "b.py": "x = 1\n", "-c.py": "break\n", "sub dir/d.py": "\nx = (\n"}
    found = Syntax(Tree(write_files(tmp_path, files))).problems([*files, "gone.py"], (3, 12))
    assert {path: problem.line for path, problem in found.items()}.keys() == {"a.py", "-c.py", "sub dir/d.py"}
    assert found["a.py"].line == 2 and found["-c.py"].line == 1
    assert all(each.message and not each.message.startswith("SyntaxError") for each in found.values())


def test_the_tree_has_no_say_in_it(tmp_path: Path) -> None:
    """Its own settings of ruff, its ignored files and its `noqa` are for its authors."""
    files = {
        "ruff.toml": "exclude = ['a.py']\n",
        ".gitignore": "a.py\n",
        "a.py": "return 1  # noqa\n",
        "pyproject.toml": "[tool.ruff]\nextend = 'gone.toml'\n",
    }
    assert Syntax(Tree(write_files(tmp_path, files))).problems(["a.py"], (3, 12))


def test_each_file_is_asked_about_once_for_a_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smoke.static.python.syntax._AT_ONCE", 2)
    names = [f"{number}.py" for number in range(5)]
    syntax = Syntax(Tree(write_files(tmp_path, dict.fromkeys(names, "type A = int\n"))))
    assert set(syntax.problems(names, (3, 11))) == {*names}, "in three runs"
    (tmp_path / "0.py").write_text("x = 1\n")
    assert set(syntax.problems(names, (3, 11))) == {*names} and not syntax.problems(names, (3, 12))


@pytest.mark.parametrize(
    ("program", "words"), [("/bin/false", "gave no answer"), ("/none", "no answer"), ("", "not installed")]
)
def test_without_an_answer_nothing_is_refused_and_it_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, words: str
) -> None:
    monkeypatch.setattr("smoke.static.python.syntax._program", lambda: program)
    syntax = Syntax(Tree(write_files(tmp_path, {"a.py": "x = (\n"})))
    assert syntax.able is bool(program)
    assert not syntax.problems(["a.py"], (3, 12)) and words in syntax.trouble and not syntax.able


def test_no_program_is_started_for_a_few_files_that_this_python_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it takes, a newer one does too; what it refuses may be of an even newer one."""
    asked: list[str] = []
    monkeypatch.setattr(Syntax, "_ask", lambda self, paths, version: asked.extend(paths))
    for name, text in {"fine.py": "x = 1\n", "odd.py": "x = (\n", "outside.py": "return 1\n"}.items():
        (tmp_path / name).write_text(text)
    syntax = Syntax(Tree(tmp_path))
    newer = (sys.version_info[0], sys.version_info[1] + 1)
    syntax.problems(["fine.py", "odd.py", "outside.py"], newer)
    assert asked == ["odd.py", "outside.py"]
    asked.clear()
    syntax.problems(["fine.py"], (3, 8))
    assert asked == ["fine.py"]
