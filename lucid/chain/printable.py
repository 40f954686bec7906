"""Text from outside, as it may be shown."""

from __future__ import annotations


def printable(text: str) -> str:
    """Text from outside as it may be shown: whatever does not print is written as an escape, so that on a terminal, in
    a log or in a report it cannot be more than text."""
    if text.isprintable():
        return text
    return "".join([mark if mark.isprintable() else mark.encode("unicode_escape").decode() for mark in text])
