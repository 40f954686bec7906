"""JSON Schemas of structs, as they are published: the same from every Python."""

from __future__ import annotations

from typing import Any

import msgspec


def schema_of(kind: type, name: str) -> dict[str, Any]:
    """The JSON Schema of a struct, under the id `name`.

    Each description is one line: until Python 3.13 a docstring keeps the indentation of its further lines.
    """
    schema = msgspec.json.schema(kind)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": name, **_in_lines(schema)}


def _in_lines(schema: dict[str, Any]) -> dict[str, Any]:
    return {key: _in_line(key, value) for key, value in schema.items()}


def _in_line(key: str, value: Any) -> Any:
    if isinstance(value, dict):
        return _in_lines(value)
    return " ".join(value.split()) if key == "description" and isinstance(value, str) else value
