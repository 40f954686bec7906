"""A route as a service describes it: what it takes, what it gives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

JSON, BYTES, TEXT, HTML = "application/json", "application/octet-stream", "text/plain", "text/html"


class Parameter(NamedTuple):
    """What a parameter of that name means, an example, and how it is written where no route says more."""

    what: str
    example: Any
    pattern: str = ""


class Query(NamedTuple):
    """A parameter of the query, as it is described."""

    schema: dict[str, Any]
    required: bool = False


class Route(NamedTuple):
    """One endpoint, as it is described. It gives JSON of a struct, of any object (None), bytes, or text (`media`)."""

    method: str
    path: str
    summary: str
    access: str
    takes: type | None
    raw: type | None
    gives: type | None
    status: int
    query: Mapping[str, Query]
    media: str = TEXT
    example: Any = None
    """A body that the route takes; its schema's own where there is none."""
