"""The command line of a server."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct, field


class Line(Struct):
    """A command line that has been read."""

    values: dict[str, list[str]] = field(default_factory=dict)
    operands: list[str] = field(default_factory=list)

    def last(self, *names: str) -> str | None:
        """The last value of an option, by any of its names."""
        found = [value for name in names for value in self.values.get(name, [])]
        return found[-1] if found else None


def strange(given: Iterable[str], known: frozenset[str], foreign: frozenset[str]) -> str:
    """An option that a server surely does not have: another server's, or one letter off its own; empty if none is."""
    for name in given:
        if name in foreign or (name not in known and any(_one_off(name, each) for each in known)):
            return name
    return ""


def foreign_to(server: str, given: Iterable[str]) -> str:
    """What is said of an option that other servers have and this one does not, by its own help; empty if none is."""
    odd = strange(given, frozenset(), FOREIGN[server])
    return f"{server} has no option {odd}: it ends with a message about its usage" if odd else ""


_OF_GUNICORN = frozenset(["-k", "--worker-class", "--timeout", "--chdir", "--threads", "--preload", "--app-dir"])
FOREIGN = {
    "hypercorn": frozenset(["--host", "--port", "--timeout", "--threads", "--chdir", "--app-dir", "--factory"]),
    "daphne": _OF_GUNICORN | {"--host", "--workers", "-w", "--reload", "--log-level"},
    "granian": frozenset(["--bind", "-b", "-w", "-k", "--worker-class", "--app-dir", "--timeout"]),
    "waitress-serve": frozenset(["--bind", "-b", "--workers", "-w"]),
    "flask": _OF_GUNICORN | {"--bind", "-b", "--workers", "-w", "--factory"},
    "quart": _OF_GUNICORN | {"--bind", "-b", "--workers", "-w", "--factory"},
    "streamlit": frozenset(["--host", "--port", "--bind", "--workers"]),
}
"""Options that are easily taken for those of a server, and are not (November 2026)."""


def _one_off(left: str, right: str) -> bool:
    """Whether two words differ by a single letter that is added, left out or another."""
    if left == right or abs(len(left) - len(right)) > 1 or len(left) < 5:
        return False
    start = next((place for place, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), None)
    if start is None:
        return True
    return left[start + 1 :] in (right[start:], right[start + 1 :]) or left[start:] == right[start + 1 :]


def read_line(arguments: Sequence[str], plain: frozenset[str], *, equals_only: bool = False) -> Line:
    """Options and operands; options of `plain` take no value, all others do."""
    line = Line()
    words = iter(arguments)
    for word in words:
        if not word.startswith("-") or word == "-":
            line.operands.append(word)
            continue
        name, equals, value = word.partition("=")
        if not word.startswith("--") and len(word) > 2 and not equals:
            name, value, equals = word[:2], word[2:], "="
        if not equals and name not in plain and not equals_only:
            value = next(words, "")
        line.values.setdefault(name, []).append(value)
    return line
