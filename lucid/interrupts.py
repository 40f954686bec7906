"""SIGTERM as Ctrl-C: what goes on ends in one way, and says so."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def terminable() -> Iterator[None]:
    """SIGTERM raises `KeyboardInterrupt`, as Ctrl-C does, so that what was found is kept."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def stoppable() -> Iterator[Callable[[], bool]]:
    """Yields what says whether Ctrl-C or SIGTERM came: whoever asks it ends by itself, and keeps what there is.

    The second one raises `KeyboardInterrupt`, for who does not want to wait.
    """
    came = False

    def interrupt(*_: object) -> None:
        nonlocal came
        if came:
            raise KeyboardInterrupt
        came = True

    before = [(each, signal.signal(each, interrupt)) for each in (signal.SIGINT, signal.SIGTERM)]
    try:
        yield lambda: came
    finally:
        for each, handler in before:
            signal.signal(each, handler)
