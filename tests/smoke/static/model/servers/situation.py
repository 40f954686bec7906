"""What a server finds in a test: files by name, what nobody can tell, variables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import asdict

from smoke.static.model.servers.served import Served
from smoke.static.model.servers.situation import Situation

Reader = Callable[[list[str], Situation], Served]


def given(files: dict[str, str] | None = None, unknown: tuple[str, ...] = (), **environment: str) -> Situation:
    """A situation in which only these files exist; of those in `unknown` it cannot be told."""
    held = files or {}
    return Situation(environment, held.get, lambda path: None if path in unknown else path in held)


def came_to(reader: Reader, words: str, situation: Situation | None = None) -> dict[str, Any]:
    """What is not as it is made: the fields that a reader set, without what is needed."""
    plain = asdict(Served())
    found = asdict(reader(words.split(), situation or given()))
    return {key: value for key, value in found.items() if value != plain[key] and key != "needs"}
