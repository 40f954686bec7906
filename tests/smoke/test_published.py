"""Schemas are the same whatever Python makes them: a docstring's indentation is not part of one."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from smoke.published import schema_of


class Inner(Struct):
    """A part
    of two lines."""

    description: Annotated[str, Meta(description="told  in\n    two")] = ""
    """A field may have the name of a keyword."""


class Whole(Struct):
    """All of it."""

    parts: tuple[Inner, ...] = ()


def test_descriptions_are_one_line_each() -> None:
    schema = schema_of(Whole, "whole")
    assert schema["$id"] == "whole" and schema["$ref"] == "#/$defs/Whole"
    inner = schema["$defs"]["Inner"]
    assert inner["description"] == "A part of two lines."
    assert inner["properties"]["description"] == {"description": "told in two", "type": "string", "default": ""}
