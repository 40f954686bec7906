"""Writers of reports: the same findings for people, for CI and for machines."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from smoke.judgment import Judgment


def _of(module: str) -> Callable[[Judgment], str]:
    """A writer whose module is loaded when it writes: most runs write one format."""

    def write(judgment: Judgment) -> str:
        return str(import_module(f"smoke.reports.{module}").write(judgment))

    return write


FORMATS: dict[str, Callable[[Judgment], str]] = {
    "github": _of("github"),
    "job": _of("job"),
    "json": _of("json"),
    "junit": _of("junit"),
    "markdown": _of("markdown"),
    "sarif": _of("sarif"),
    "tap": _of("tap"),
    "text": _of("terminal"),
}
"""Each format's writer by its name."""
