"""Names of images as Docker takes them, and what they are made of: repository, tag, digest."""

from __future__ import annotations

import re

from smoke.static.regex import regex

_REFERENCE = regex(
    r"(?:(?:[A-Za-z0-9]+(?:[.-]+[A-Za-z0-9]+)*\.[A-Za-z0-9.-]+(?::\d+)?|localhost(?::\d+)?|[\w.-]+:\d+|\[[0-9A-Fa-f:]+\](?::\d+)?)/)?"
    r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*"
    r"(?::[A-Za-z0-9_][\w.-]{0,127})?(?:@[a-z0-9]+:[0-9a-fA-F]{32,})?"
)
"""By github.com/distribution/reference: only the registry's host may have capitals."""
_TAG = regex(r"(?::([\w.-]+))?(?:@sha256:\w+)?$")
"""What may follow a repository. The port of a registry does not: a slash follows it."""
_HUB = regex(r"^(?:(?:index\.)?docker\.io/|public\.ecr\.aws/docker/)?(?:library/)?")
"""What may stand before a repository of Docker Hub's, or of its mirror."""
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


def without_tag(reference: str) -> str:
    """A reference without the tag and the digest at its end; unlike `hub_repository`, with the registry as written."""
    return _TAG.sub("", reference)


def tag_of(reference: str) -> str:
    """The tag of a reference; empty where it has none."""
    found = _TAG.search(reference)
    return "" if found is None else found[1] or ""


def hub_repository(reference: str) -> str:
    """The repository that a reference names, as Docker Hub calls it."""
    return _HUB.sub("", without_tag(reference))
