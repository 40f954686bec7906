"""What one source file says: imports and around what they stand, names, attributes that it reads, what is not read."""

from __future__ import annotations

import pytest

from smoke.static.python.reading import MAX_SOURCE, read_source
from smoke.static.python.source import Import, Source, has_name


def read(text: str) -> Source:
    return read_source("a.py", text.encode(), (3, 12))


ASSIGNED = (
    "os = 1",
    "import sys; os = 1",
    "for os in (): pass",
    "with open('x') as os: pass",
    "(os := 1)",
    "x, (os, y) = f()",
    "del os",
    "def f():\n    os = 1",
    "class A:\n    def f(self):\n        for (os) in (): pass",
    "[0 for os in ()]",
    "os\\\n= 1",
)
NOT_ASSIGNED = (
    "",
    "x = 'os is a word'",
    "# os",
    "print(os)",
    "import os, sys",
    "os.path = 1",
    "os.environ['A'] = 'b'",
    "def f(os_): ...",
    "oss = 1",
)


@pytest.mark.parametrize("more", ASSIGNED)
def test_attributes_of_a_name_that_is_assigned_somewhere_tell_nothing(more: str) -> None:
    assert read(f"import os\nx = os.nothing\n{more}\n").attributes == []


@pytest.mark.parametrize("more", NOT_ASSIGNED)
def test_attributes_of_modules_are_read_as_imports(more: str) -> None:
    assert read(f"import os\nx = os.nothing\n{more}\n").attributes[0] == Import(2, "os", names=("nothing",))


def test_attributes_are_read_where_they_surely_run() -> None:
    text = (
        "import a\nimport b.c\nimport d as e\n@a.one\ndef f(x=a.two): return a.three\n"
        "class K(a.four): x = a.five\nl = lambda: a.six\ny = a.seven if a.eight else 0\nz = a._own\n"
        "w = b.c\nv = e.nine\n"
    )
    found = {(each.module, each.names[0]) for each in read(text).attributes}
    assert found == {("a", "one"), ("a", "two"), ("a", "four"), ("a", "eight"), ("d", "nine")}


def test_imports_tell_what_stands_around_them() -> None:
    text = (
        "import a\ntry:\n    import b\nexcept ImportError:\n    import c\n"
        "def f():\n    import d\nif __name__ == '__main__':\n    import e\nelse:\n    import g\n"
        "import sys\nif sys.version_info < (3, 8):\n    import h\nfrom . import i\nfrom ..j import k, l\n"
    )
    found = {each.module or each.names[0]: each for each in read(text).imports}
    assert "h" not in found, "the version decides"
    assert found["b"].caught and found["c"].instead == found["b"].attempt > 0
    assert found["d"].lazy and found["e"].main and found["g"].other
    assert (found["i"].level, found["j"].level, found["j"].names) == (1, 2, ("k", "l"))
    assert not any((found["a"].caught, found["a"].lazy, found["a"].main))


@pytest.mark.parametrize(
    "text",
    [
        "globals()['a'] = 1",
        "exec('a = 1')",
        "import sys\nsys.modules[__name__] = object()",
        "def __getattr__(name): ...",
        "import m\nsetattr(m, 'a', 1)",
    ],
)
def test_names_made_at_run_time_may_be_any(text: str) -> None:
    source = read(text)
    assert source.dynamic and has_name(source, "whatever")


def test_names_are_those_of_the_top_alone() -> None:
    source = read("a = 1\nb: int\nclass C:\n    d = 1\ndef e():\n    f = 1\n    global g\n    g = 2\nh = i = 3\n")
    assert {*"aCeghi"} <= source.names.keys() and not {*"bdf"} & source.names.keys()
    assert read("__all__ = ['a', 'b']").exports == ("a", "b") and read("__all__ = ['a', x]").exports is None


def test_what_is_no_python_is_an_error_and_what_is_too_much_a_doubt() -> None:
    assert read("def f(:\n").error_line == 1
    assert read_source("a.py", b"a\0", (3, 12)).error
    assert read_source("a.py", b"#" * (MAX_SOURCE + 1), (3, 12)).doubt
    assert read_source("a.py", b"x" + b".y" * 100_000, (3, 12)).doubt
    assert read_source("a.py", b"../other/b.py", (3, 12)).dynamic, "a link as Git writes it where there are none"
    assert read_source("a.py", b"return 1\n", None, alone=True).error, "the compiler's own refusals"


def test_a_module_that_only_says_what_it_is_is_empty() -> None:
    assert read('"""Words."""\n').empty and read("").empty and not read("a = 1").empty


@pytest.mark.parametrize(
    ("text", "port"),
    [
        ("app.run(port=8080)", 8080),
        ("PORT = 8081\napp.run(port=PORT)", 8081),
        ("import os\napp.run(port=int(os.getenv('PORT', '8082')))", 8082),
        ("app.run(port=os.environ.get('P') or 8083)", 8083),
    ],
)
def test_ports_are_read_as_far_as_they_are_constant(text: str, port: int) -> None:
    [(_, name, keywords)] = read(text).calls
    assert name == "app.run" and keywords["port"] == port
