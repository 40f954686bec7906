"""Parts of Python's source, by its tokens."""

from __future__ import annotations

import pytest

from smoke.static.isolation.pythonspans import python_spans
from smoke.static.isolation.spans import TextPart
from tests.smoke.static.isolation.test_spans import parts

PYTHON = (
    "CODE = 1 # COMMENT\n",
    "x = 'STRING' + CODE\n",
    "import IMPORT # COMMENT\n",
    "from IMPORT import a; CODE\n",
    '"""COMMENT"""\nx = "STRING"\n',
    "if x: import IMPORT\n",
    "x = f'STRING'\n",
    "def f():\n    'COMMENT'\n    return CODE\n",
)


@pytest.mark.parametrize("text", PYTHON)
def test_python(text: str) -> None:
    """A text that stands alone is documentation: nothing runs it."""
    found = parts(text, python_spans(text))
    assert found == {word: TextPart[word] for word in found}
