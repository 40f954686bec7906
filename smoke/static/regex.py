"""Regular expressions that are compiled as they are first used: a small tree needs few of some two hundred.

Compiling all of them took a tenth of the time that the checks take to start."""

from __future__ import annotations

import re
from typing import Any, overload


class _Late:
    """Stands for a pattern, and becomes it attribute by attribute."""

    def __init__(self, source: str | bytes, flags: int) -> None:
        self._source, self._flags = source, flags

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        found = getattr(re.compile(self._source, self._flags), name)
        setattr(self, name, found)
        return found


@overload
def regex(source: str, flags: int = 0) -> re.Pattern[str]: ...


@overload
def regex(source: bytes, flags: int = 0) -> re.Pattern[bytes]: ...


def regex(source: str | bytes, flags: int = 0) -> re.Pattern[str] | re.Pattern[bytes]:
    """What `re.compile` gives, later. A mistake in it shows when it is used."""
    return _Late(source, flags)  # type: ignore[return-value]
