"""Variables in Compose files: what they stand for."""

from __future__ import annotations

import re
from collections.abc import Mapping

from smoke.static.regex import regex

_VARIABLE = regex(r"\$(?:\$|([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(?:(:?[-?+])((?:[^{}]|\{[^{}]*\})*))?\})")


def interpolated(text: str, values: Mapping[str, str]) -> str:
    """A text with its variables; one that nothing here gives stays as `${NAME}`."""

    def value(match: re.Match[str]) -> str:
        if match[0] == "$$":
            return "$"
        name, operator, word = match[1] or match[2], match[3] or "", match[4] or ""
        held = values.get(name)
        there = bool(held) if operator.startswith(":") else held is not None
        if operator.endswith("-") and not there:
            return interpolated(word, values) if "$" in word else word
        if operator.endswith("+"):
            return word if there else ""
        return held if held is not None else f"${{{name}}}"

    return _VARIABLE.sub(value, text) if "$" in text else text


def with_defaults(text: str) -> str:
    """`${NAME:-value}` with nothing set."""
    return re.sub(r"\$\{\w+:?-([^}]*)\}", r"\1", text)
