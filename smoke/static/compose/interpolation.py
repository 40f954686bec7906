"""Variables in Compose files, and the files that give them."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping

from smoke.static.regex import regex
from smoke.tree import Tree

_VARIABLE = regex(r"\$(?:\$|([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(?:(:?[-?+])((?:[^{}]|\{[^{}]*\})*))?\})")


def dot_env(tree: Tree, directory: str) -> dict[str, str]:
    """The variables of the `.env` beside a Compose file."""
    return env_values(tree.text(posixpath.join(directory, ".env")))


def env_values(text: str) -> dict[str, str]:
    values = {}
    for line in text.splitlines()[:5_000]:
        match = re.match(r"\s*(?:export\s+)?([A-Za-z_][\w.-]*)\s*=\s*(.*?)\s*$", line)
        if match and not line.lstrip().startswith("#"):
            value = match[2]
            quoted = re.match(r"(['\"])(.*?)\1", value)
            values[match[1]] = quoted[2] if quoted else re.sub(r"\s+#.*", "", value)
    return values


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
