"""Tags of official images that never were: misspelled, of a release that has none, or of a Python to come."""

from __future__ import annotations

import re
from difflib import get_close_matches

from smoke.static.model.bases.official import official_tag
from smoke.static.regex import regex

_VARIANTS = ("slim", "alpine", "trixie", "bookworm", "bullseye", "buster", "stretch", "jessie", "wheezy", "onbuild")
_KNOWN = regex(
    r"(?:"
    + "|".join(_VARIANTS)
    + r"|alpine3\.\d{1,2}|windowsservercore|nanoserver|ltsc\d+|\d{4}|forky|sid|latest)(?:-.*)?"
)
_RELEASED = {
    "buster": (2, 12), "stretch": (2, 9), "jessie": (2, 8), "wheezy": (2, 7), "bullseye": (6, 14), "bookworm": (7, 99),
    "trixie": (9, 99),
}  # fmt: skip
"""Minor versions of Python 3 that images were made of on a release of Debian, first and last (the latter generously):
github.com/docker-library/python, November 2026."""
NEWEST = 16
"""The newest minor version of Python 3 that may have an image, of a release or before it (November 2026)."""


def never_was(reference: str) -> str:
    """Why no registry has an image of Python; empty when one may have it, or it is another image."""
    tag = official_tag(reference.partition("@")[0], "python")
    match = re.fullmatch(r"(\d+)(?:\.(\d+))?(?:\.\d+)?(?:(?:a|b|rc)\d+)?(?:-(?P<rest>[\w.-]+))?", tag or "")
    if match is None or "@" in reference:
        return ""
    minor = int(match[2] or -1) if match[1] == "3" else None
    if int(match[1]) > 3 or (minor is not None and minor > NEWEST):
        return f"there is no Python {match[1]}{'.' + match[2] if match[2] else ''}"
    for word in (match["rest"] or "").split("-"):
        near = get_close_matches(word, _VARIANTS, 1, 0.75)
        if word and not _KNOWN.fullmatch(word) and near:
            return f"python has no tag with {word}: {near[0]} is one"
        first, last = _RELEASED.get(word, (0, 99))
        if minor is not None and minor >= 0 and not first <= minor <= last:
            return f"no image of Python 3.{minor} was made on Debian's {word}"
    return ""
