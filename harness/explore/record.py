"""The record of an exploration that is not over: of which commit and scope it is, and all that it has seen."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

from harness.explore.scope import ExploreScope
from harness.explore.search import Search

VERSION = 1


class ExploreRecordError(Exception):
    """A file is not a record, or one of something else; one sentence."""


def write(path: Path, search: Search, commit: str, without: str) -> None:
    """Keep a search, to go on with it later; an older record is replaced once the new one is whole."""
    head = {"explore": VERSION, "commit": commit, "scope": search.scope._asdict(), "without": without}
    beside = path.with_name(path.name + ".new")
    with beside.open("wb") as file:
        file.write(json.dumps(head).encode() + b"\n")
        pickle.dump(search, file, 5)
    beside.replace(path)


def read(path: Path, scope: ExploreScope, commit: str, without: str) -> Search:
    """A search that was kept; raises `ExploreRecordError`, `OSError`. What follows a head is loaded only if it fits."""
    wanted = {"explore": VERSION, "commit": commit, "scope": scope._asdict(), "without": without}
    with path.open("rb") as file:
        try:
            head = json.loads(file.readline(4_096))
        except ValueError:
            head = None
        if not isinstance(head, dict) or head.get("explore") != VERSION:
            raise ExploreRecordError(f"{path} is not a record of an exploration; name another file")
        other = [key for key in wanted if head.get(key) != wanted[key]]
        if other:
            raise ExploreRecordError(
                f"{path} is of another {other[0]} ({head.get(other[0]) or 'none'}, not {wanted[other[0]] or 'none'}); "
                f"name another file"
            )
        search = pickle.load(file)
    assert isinstance(search, Search)
    return search
