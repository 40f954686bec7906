"""Files of variables, as Compose reads them."""

from __future__ import annotations

import posixpath
import re

from smoke.tree import Tree


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
