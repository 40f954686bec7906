"""What is fuzzed, one module each.

A module here has `target()`, a context manager that starts what it needs and yields a function; that function makes one
hostile input from the `Random` that it is given, hands it in, and raises when something did not hold. At its end
`target` checks what only shows in the long run (nothing ended, memory is back).
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random

Attempt = Callable[[Random], None]


def names() -> list[str]:
    """All targets."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


@contextmanager
def opened(name: str) -> Iterator[Attempt]:
    """One target, started; its last checks run at the end."""
    with importlib.import_module(f"{__name__}.{name}").target() as attempt:
        yield attempt
