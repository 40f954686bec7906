"""What stands around a statement: which of its failures are taken."""

from __future__ import annotations

import ast

import pytest

from smoke.static.python.around import catches_imports, taken


def handler(text: str) -> ast.ExceptHandler:
    tried = ast.parse(f"try:\n    x\n{text}").body[0]
    assert isinstance(tried, ast.Try)
    return tried.handlers[0]


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("except:\n    pass", {"files", "keys"}),
        ("except Exception:\n    pass", {"files", "keys", "other"}),
        ("except OSError:\n    pass", {"files", "other"}),
        ("except (KeyError, TypeError):\n    pass", {"keys", "other"}),
        ("except builtins.KeyError:\n    pass", {"keys", "other"}),
        ("except ValueError:\n    pass", {"other"}),
        ("except KeyError:\n    log()\n    raise", set()),
        ("except KeyError as error:\n    raise Own() from error", set()),
    ],
)
def test_kinds_of_failure_that_are_taken(text: str, kinds: set[str]) -> None:
    assert {*taken(handler(text))} == kinds


@pytest.mark.parametrize(
    ("text", "goes_on"),
    [
        ("except ImportError:\n    x = None", True),
        ("except (ImportError, OSError):\n    pass", True),
        ("except Exception:\n    pass", True),
        ("except:\n    pass", True),
        ("except ValueError:\n    pass", False),
        ("except ImportError:\n    raise", False),
        ("except:\n    raise", False),
        ("except:\n    log()\n    raise SystemExit(1)", False),
        ("except ImportError:\n    sys.exit(1)", False),
        ("except:\n    sys.exit('no')", False),
    ],
)
def test_a_module_that_is_missing_is_gone_on_without(text: str, goes_on: bool) -> None:
    """A handler that raises again, or ends the program, goes on with nothing."""
    assert catches_imports(handler(text)) is goes_on
