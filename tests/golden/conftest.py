"""The option that writes the golden scripts anew: `pytest tests/golden --rewrite-golden`, then read the diff."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--rewrite-golden`."""
    parser.addoption("--rewrite-golden", action="store_true", help="write what the golden scripts put out now")
