"""Names of images as Docker takes them."""

from __future__ import annotations

import re

from smoke.static.regex import regex

_REFERENCE = regex(
    r"(?:(?:[A-Za-z0-9]+(?:[.-]+[A-Za-z0-9]+)*\.[A-Za-z0-9.-]+(?::\d+)?|localhost(?::\d+)?|[\w.-]+:\d+|\[[0-9A-Fa-f:]+\](?::\d+)?)/)?"
    r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*"
    r"(?::[A-Za-z0-9_][\w.-]{0,127})?(?:@[a-z0-9]+:[0-9a-fA-F]{32,})?"
)
"""By github.com/distribution/reference: only the registry's host may have capitals."""


MAX_LENGTH = 300


def unreadable(reference: str) -> str:
    """Why a reference names no image; empty for one that does, or that a variable is part of."""
    if (
        not reference
        or len(reference) > MAX_LENGTH
        or "$" in reference
        or "{{" in reference
        or _REFERENCE.fullmatch(reference)
    ):
        return ""
    name = reference.partition("@")[0]
    if re.search(r"[A-Z]", re.sub(r":[\w.-]+$", "", name)):
        return "names of images have no capitals"
    return "it is not a name of an image" if re.search(r"\s|::|:$|^[/:-]|//", name) else ""
