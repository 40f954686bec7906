"""Names that stand for one constant, in conditions."""

from __future__ import annotations

import ast

import pytest

from smoke.static.python.called import plain_names
from smoke.static.python.conditions import Truth, decide
from smoke.static.python.flags import Flags


def answer(text: str, test: str) -> Truth:
    parsed = ast.parse(text)
    flags = Flags(parsed, plain_names(parsed, text.encode()))
    return decide(flags.filled(ast.parse(test, mode="eval").body), (3, 12))


@pytest.mark.parametrize(
    ("text", "test", "wanted"),
    [
        ("DEBUG = True", "DEBUG", Truth.YES),
        ("DEBUG = False", "not DEBUG", Truth.YES),
        ("STAGE = 'prod'", "STAGE == 'dev'", Truth.NO),
        ("A = True\nB = False", "A and B", Truth.NO),
        ("DEBUG = True\nDEBUG = False", "DEBUG", Truth.UNKNOWN),
        ("import os\nDEBUG = os.environ.get('D')", "DEBUG", Truth.UNKNOWN),
        ("DEBUG = True\nfrom local import *", "DEBUG", Truth.UNKNOWN),
        ("DEBUG = True\ndef f():\n    global DEBUG\n    DEBUG = False", "DEBUG", Truth.UNKNOWN),
        ("if X:\n    DEBUG = True", "DEBUG", Truth.UNKNOWN),
    ],
)
def test_only_what_is_made_once_counts(text: str, test: str, wanted: Truth) -> None:
    assert answer(text, test) is wanted
