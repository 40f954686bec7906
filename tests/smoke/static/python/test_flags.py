"""Names that stand for one constant, in conditions."""

from __future__ import annotations

import ast

import pytest

from smoke.static.python.called import plain_names
from smoke.static.python.conditions import Answer, decide
from smoke.static.python.flags import Flags


def answer(text: str, test: str) -> Answer:
    parsed = ast.parse(text)
    flags = Flags(parsed, plain_names(parsed, text.encode()))
    return decide(flags.filled(ast.parse(test, mode="eval").body), (3, 12))


@pytest.mark.parametrize(
    ("text", "test", "wanted"),
    [
        ("DEBUG = True", "DEBUG", Answer.YES),
        ("DEBUG = False", "not DEBUG", Answer.YES),
        ("STAGE = 'prod'", "STAGE == 'dev'", Answer.NO),
        ("A = True\nB = False", "A and B", Answer.NO),
        ("DEBUG = True\nDEBUG = False", "DEBUG", Answer.UNKNOWN),
        ("import os\nDEBUG = os.environ.get('D')", "DEBUG", Answer.UNKNOWN),
        ("DEBUG = True\nfrom local import *", "DEBUG", Answer.UNKNOWN),
        ("DEBUG = True\ndef f():\n    global DEBUG\n    DEBUG = False", "DEBUG", Answer.UNKNOWN),
        ("if X:\n    DEBUG = True", "DEBUG", Answer.UNKNOWN),
    ],
)
def test_only_what_is_made_once_counts(text: str, test: str, wanted: Answer) -> None:
    assert answer(text, test) is wanted
