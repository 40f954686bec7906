"""What a built package says of the project's home: its links, and a README whose links lead there.

The tree does not know where it is published, so whoever builds says it: `LUCID_HOME=https://forge.example/owner/name`.
Without it the package has no links, and its README those of the tree.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

HOME = "LUCID_HOME"
LINK = re.compile(r"(!?\[(?:[^\[\]]|\[[^\]]*\])*\])\((?![a-z]+:|#)([^()\s]+)\)")
"""A link or a picture of Markdown that leads to a file of the tree."""


def links(home: str) -> dict[str, str]:
    """The project's links, for a package index to show."""
    return {
        "Source": home,
        "Documentation": f"{home}/blob/HEAD/docs/index.md",
        "Changelog": f"{home}/blob/HEAD/CHANGELOG.md",
        "Issues": f"{home}/issues",
    }


def absolute(text: str, home: str) -> str:
    """A document with links that also lead somewhere when it stands elsewhere."""
    return LINK.sub(lambda found: f"{found[1]}({home}/{'raw' if found[1][0] == '!' else 'blob'}/HEAD/{found[2]})", text)


class ProjectHome(MetadataHookInterface):
    """Adds both to the metadata of a package."""

    def update(self, metadata: dict[str, Any]) -> None:
        """See hatchling."""
        text, home = (Path(self.root) / "README.md").read_text("utf-8"), os.environ.get(HOME, "").rstrip("/")
        if home:
            metadata["urls"] = links(home)
            text = absolute(text, home)
        metadata["readme"] = {"content-type": "text/markdown", "text": text}
