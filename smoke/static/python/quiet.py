"""The syntax tree of a module whose own faults others tell."""

from __future__ import annotations

import ast
import warnings


def parse_quietly(data: bytes) -> ast.Module | None:
    """The tree; none where the text cannot be read, and without any of Python's warnings."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(data)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
