"""Variables that numbers are made of."""

from __future__ import annotations

import pytest

from smoke.static.python.converted import converted, is_number


@pytest.mark.parametrize(
    ("text", "name", "kind", "default"),
    [
        ("import os\nA = int(os.environ['N'])\n", "N", "int", None),
        ("import os\nclass S:\n    a: float = float(os.getenv('N', 'x'))\n", "N", "float", "x"),
        ("from os import environ\nf(a=int(environ.get('N', '4')))\n", "N", "int", "4"),
        ("from os import getenv\nA = [int(getenv('N', 5))]\n", "N", "int", None),
    ],
)
def test_conversions_at_the_top(text: str, name: str, kind: str, default: str | None) -> None:
    (found,) = converted(text.encode())
    assert (found.name, found.kind, found.default) == (name, kind, default)


@pytest.mark.parametrize(
    "text",
    [
        "import os\ndef f(): return int(os.environ['N'])\n",
        "import os\nA = int(os.environ['N']) if x else 1\n",
        "import os\nA = x or int(os.environ['N'])\n",
        "import os\ntry:\n    A = int(os.environ['N'])\nexcept ValueError:\n    A = 1\n",
        "import os\nA = int(os.environ['N'], 16)\n",
        "import os\nA = int(os.environ[name])\n",
        "A = int(os.environ['N']",
        "A = 1\n",
    ],
)
def test_what_may_not_happen(text: str) -> None:
    assert list(converted(text.encode())) == []


def test_numbers_as_python_reads_them() -> None:
    assert is_number(" 1_000 ", "int")
    assert is_number("1e3", "float")
    assert not is_number("1.5", "int")
    assert not is_number("", "float")
