"""What a COPY or ADD asks for: what of which sources, where it is to lie, and whom it is to belong to."""

from __future__ import annotations

import posixpath
import re

from msgspec import Struct

from smoke.static.dockerfile.ignore import Ignore


class CopySelection(Struct, frozen=True):
    """What `--parents` and `--exclude` say."""

    parents: bool = False
    """Whether the directories that sources are in come along, or those behind a `/./`."""
    without: Ignore | None = None
    """What is left out below a source."""

    def has(self, inside: str) -> bool:
        """Whether a path below the source is copied."""
        inside = inside.strip("/")
        return self.without is None or not inside or self.without.excludes(inside) is None

    def landing(self, place: str, word: str) -> str:
        """Where a source comes to lie: with its directories, as far as they stand behind the pivot `/./`."""
        if not self.parents or re.search(r"[*?\[]", word):
            return place
        before, pivot, after = word.partition("/./")
        return posixpath.normpath(f"{place}/{after if pivot else before}")


class CopyOrder(Struct, frozen=True, kw_only=True):
    """One copy into a stage, with all variables worked out."""

    sources: tuple[str, ...]
    place: str
    """The absolute path that they are copied to."""
    into: bool
    """Whether that is a directory, in which each keeps its name."""
    user: int | None
    """None where it cannot be told."""
    mode: int | None
    """None where each keeps its own."""
    line: int
    selection: CopySelection = CopySelection()
