"""Flags, options and operands of a command line."""

from __future__ import annotations

from collections.abc import Sequence


def read_operands(
    rest: Sequence[str], valued: frozenset[str] = frozenset()
) -> tuple[set[str], dict[str, str], list[str]]:
    """Flags, options with their values, and operands of a command."""
    flags: set[str] = set()
    values: dict[str, str] = {}
    operands: list[str] = []
    words = iter(rest)
    for word in words:
        if word == "--":
            operands += words
        elif word.startswith("-") and len(word) > 1:
            name, equals, value = word.partition("=")
            if equals:
                values[name] = value
            elif name in valued:
                values[name] = next(words, "")
            elif not word.startswith("--"):
                short, option, value = _short(word, valued)
                flags |= short
                if option:
                    values[option] = value or next(words, "")
            else:
                flags.add(word)
        else:
            operands.append(word)
    return flags, values, operands


def _short(word: str, valued: frozenset[str]) -> tuple[set[str], str, str]:
    """Flags of one letter written as one word; the option that ends them, and its value if it follows at once."""
    flags: set[str] = set()
    for place, letter in enumerate(word[1:], 2):
        if f"-{letter}" in valued:
            return flags, f"-{letter}", word[place:]
        flags.add(f"-{letter}")
    return flags, "", ""


def plain_operands(rest: list[str], valued: str = "") -> list[str]:
    """Words that are not options; an option of `valued` takes the next word."""
    found, skip = [], False
    for word in rest:
        if skip:
            skip = False
        elif word.startswith("-") and len(word) > 1:
            skip = word in valued.split()
        else:
            found.append(word)
    return found
