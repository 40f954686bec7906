"""What a program's own command line demands."""

from __future__ import annotations

import ast

import pytest

from smoke.static.python.arguments import asked_by

MADE = "p = argparse.ArgumentParser()\n"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (f"{MADE}p.add_argument('-c', '--config', required=True)\n", [(("-c", "--config"), 1)]),
        (f"{MADE}p.add_argument('a')\np.add_argument('b')\n", [((), 2)]),
        (f"{MADE}p.add_argument('a', nargs='?')\np.add_argument('--x')\n", []),
        (f"{MADE}p.add_argument('a', **more)\n", []),
        (f"{MADE}p.add_argument('a')\np.add_subparsers()\n", []),
        ("p = made()\np.add_argument('a')\n", []),
    ],
)
def test_required_options_and_operands(text: str, wanted: list[tuple[tuple[str, ...], int]]) -> None:
    call = ast.parse("p.parse_args()", mode="eval").body
    assert isinstance(call, ast.Call)
    assert [(each.options, each.count) for each in asked_by(ast.parse(text), call, False)] == wanted
