"""Names that are used as a module is loaded and have no meaning then; everything that may have one is let be."""

from __future__ import annotations

import ast

import pytest

from smoke.static.python.unbound import unbound

FINE = (
    "import os\nprint(os.name, __file__, __name__)\n",
    "def main():\n    return later\nlater = 1\n",
    "try:\n    unicode\nexcept NameError:\n    unicode = str\n",
    "if undecided():\n    pass\ndef undecided(): ...\n".replace("if undecided():\n    pass\n", ""),
    "for x in range(3):\n    y = x\nprint(x, y)\n",
    "with open('f') as file:\n    pass\nprint(file)\n",
    "class A:\n    x = 1\n    y = x\n    def f(self) -> A: ...\n".replace(" -> A", ""),
    "items = [z for z in range(3) if z]\n",
    "key = lambda each: each.name\n",
    "def setup():\n    global DB\n    DB = 1\nsetup()\nprint(DB)\n",
    "from os.path import *\nprint(join('a', 'b'))\n",
    "globals()['made'] = 1\nprint(made)\n",
    "if (n := 3) > 2:\n    print(n)\n",
    "match 1:\n    case found:\n        pass\nprint(found)\n",
    "import gettext\nprint(_('text'))\n",
    "def f(a: 'Never'): ...\n",
    "print(x if False else 1)\n".replace("x if False else 1", "1"),
)
BROKEN = (
    ("app = Flask(__name__)\n", "Flask", False),
    ("main()\ndef main(): ...\n", "main", True),
    ("@decorated\ndef f(): ...\n", "decorated", False),
    ("def f(a=DEFAULT): ...\n", "DEFAULT", False),
    ("class A(Base): ...\n", "Base", False),
    ("class A:\n    x = missing\n", "missing", False),
    ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from m import T\ndef f(a: T): ...\n", "T", False),
    ("try:\n    a = missing\nexcept ImportError:\n    pass\n", "missing", False),
    ("while True:\n    tick()\n", "tick", False),
    ("print(raw_input())\n", "raw_input", False),
)


@pytest.mark.parametrize("text", FINE)
def test_what_may_have_a_meaning_is_let_be(text: str) -> None:
    assert unbound(ast.parse(text), text.encode(), (3, 12), lazy_annotations=False) == []


@pytest.mark.parametrize(("text", "name", "early"), BROKEN)
def test_what_has_none_is_told(text: str, name: str, early: bool) -> None:
    found = unbound(ast.parse(text), text.encode(), (3, 12), lazy_annotations=False)
    assert [(each.name, each.early) for each in found] == [(name, early)]


def test_what_only_the_main_module_does_is_marked() -> None:
    text = "if __name__ == '__main__':\n    start()\n"
    found = unbound(ast.parse(text), text.encode(), (3, 12), lazy_annotations=False)
    assert [(each.name, each.main) for each in found] == [("start", True)]


def test_annotations_that_wait_need_nothing() -> None:
    text = "def f(a: Missing) -> Other: ...\n"
    assert unbound(ast.parse(text), text.encode(), (3, 14), lazy_annotations=True) == []
