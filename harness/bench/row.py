"""A figure of a bench, with the bound that it must keep."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

Say = Callable[[str], None]
"""Is told what is going on."""


class Row(NamedTuple):
    """One figure: what was measured, its value, the bound it must keep, and whether it does (None: no bound)."""

    part: str
    what: str
    value: float
    bound: str
    kept: bool | None

    @property
    def reached(self) -> bool:
        """Whether the figure keeps its bound, if it has one."""
        return self.kept is not False

    def line(self) -> str:
        """The row for people."""
        mark = {True: "reached", False: "MISSED", None: ""}[self.kept]
        return f"{self.part:9} {self.what:66} {self.value:>12,.4g}  {self.bound:22} {mark}"
