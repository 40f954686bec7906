"""What an image's tag says of its distribution: the release, and the Python that this brings."""

from __future__ import annotations

import re

from smoke.static.regex import regex

_RELEASES = {
    **{"bullseye": "3.9", "11": "3.9", "bookworm": "3.11", "12": "3.11", "trixie": "3.13", "13": "3.13"},
    **{"focal": "3.8", "20.04": "3.8", "jammy": "3.10", "22.04": "3.10", "noble": "3.12", "24.04": "3.12"},
    **{"3.18": "3.11", "3.19": "3.11", "3.20": "3.12", "3.21": "3.12", "3.22": "3.12"},
}
"""The Python that a release's own package brings, by the release's name or number."""


def release_python(reference: str) -> str:
    """The version of the Python that a distribution's own package brings; empty when it is not known."""
    tag = re.sub(r".*ubuntu(?=\d)", "", reference.partition("@")[0].rpartition(":")[2])
    found = (name for name in _RELEASES if re.match(rf"(?:.*-)?{re.escape(name)}\b", tag))
    return _RELEASES[name] if (name := next(found, "")) else ""


_RELEASE_NAMES = {
    **{"bullseye": "bullseye", "bookworm": "bookworm", "trixie": "trixie"},
    **{"focal": "focal", "jammy": "jammy", "noble": "noble", "20.04": "focal", "22.04": "jammy", "24.04": "noble"},
}
_DEBIAN_NUMBERS = {"11": "bullseye", "12": "bookworm", "13": "trixie"}


RECENT = "bookworm and later"
"""The releases that a tag of Python's images has floated to which names neither one nor a patch version."""
_FLOATING = regex(r"(?:3(?:\.(?:9|1\d))?|latest)(?:-slim)?|slim")


def release_of(reference: str) -> str:
    """The release of Debian or Ubuntu that a reference names; empty for a tag that floats and where it is unknown."""
    name, _, tag = reference.partition("@")[0].rpartition(":")
    found = next((release for word, release in _RELEASE_NAMES.items() if word in re.split(r"[-_]", tag)), "")
    if not found and re.search(r"(?:^|/)debian$", name):
        found = _DEBIAN_NUMBERS.get(re.split(r"[-.]", tag)[0], "")
    found = found or next((each for word, each in _RELEASE_NAMES.items() if tag.endswith(f"ubuntu{word}")), "")
    floats = not found and re.search(r"(?:^|/)python$", name) and _FLOATING.fullmatch(tag)
    return RECENT if floats else found
