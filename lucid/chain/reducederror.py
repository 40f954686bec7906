"""An error as pickle takes it, which goes from one process to another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Reduced = tuple[Callable[..., BaseException], tuple[type[BaseException], tuple[Any, ...]], dict[str, Any]]


def reduced(error: BaseException) -> Reduced:
    """What pickle takes of an error whose constructor takes something else than `Exception` does: what it is, and not
    what it was made of, which is nowhere in it any more."""
    return _again, (type(error), error.args), error.__dict__


def _again(kind: type[BaseException], args: tuple[Any, ...]) -> BaseException:
    return kind.__new__(kind, *args)
