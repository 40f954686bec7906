"""Programs that start another one: which of their words are their own, and what is left to start."""

from __future__ import annotations

import posixpath
import re

from msgspec import Struct, field

from smoke.static.regex import regex

_ASSIGNMENT = regex(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)


class _Wrapper(Struct, frozen=True):
    """What a program takes for itself before the command."""

    operands: int = 0
    valued: frozenset[str] = frozenset()
    """Options that take the next word."""
    lead: str = ""
    """The word that has to come first for it to start anything."""
    python: bool = False
    """Whether what is left are words of Python's: a file, or -m and a module."""
    every: bool = False
    """Whether each of its long options takes the next word."""


class Unwrapped(Struct, frozen=True):
    """What is left of a command once a wrapper has taken its own."""

    words: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)
    may_be_alone: bool = False
    """Whether it does something of its own when nothing is left."""


def _valued(*options: str) -> frozenset[str]:
    return frozenset(options)


_WRAPPERS = {
    "tini": _Wrapper(valued=_valued("-p", "-e")),
    "tini-static": _Wrapper(valued=_valued("-p", "-e")),
    "dumb-init": _Wrapper(valued=_valued("-r", "--rewrite")),
    "catatonit": _Wrapper(),
    "gosu": _Wrapper(1),
    "su-exec": _Wrapper(1),
    "env": _Wrapper(valued=_valued("-u", "--unset", "-C", "--chdir")),
    "nice": _Wrapper(valued=_valued("-n", "--adjustment")),
    "ionice": _Wrapper(valued=_valued("-c", "-n", "-p", "--class", "--classdata")),
    "exec": _Wrapper(valued=_valued("-a")),
    "time": _Wrapper(valued=_valued("-f", "-o")),
    "nohup": _Wrapper(),
    "timeout": _Wrapper(1, valued=_valued("-k", "-s", "--kill-after", "--signal")),
    "stdbuf": _Wrapper(valued=_valued("-i", "-o", "-e")),
    "chpst": _Wrapper(valued=_valued("-u", "-U", "-e", "-n", "-l", "-L", "-m", "-b", "-/")),
    "setpriv": _Wrapper(
        valued=_valued(
            *["--reuid", "--regid", "--groups", "--ambient-caps", "--bounding-set", "--securebits"],
            *["--pdeathsig", "--selinux-label", "--apparmor-profile"],
        )
    ),
    "ddtrace-run": _Wrapper(),
    "opentelemetry-instrument": _Wrapper(every=True),
    "newrelic-admin": _Wrapper(lead="run-program"),
    "watchmedo": _Wrapper(
        lead="auto-restart",
        valued=_valued(
            *["-d", "--directory", "-p", "--pattern", "--patterns", "-i", "--ignore-pattern", "--ignore-patterns"],
            *["--signal", "--kill-after", "--debounce-interval", "--interval", "--timeout"],
        ),
    ),
    "coverage": _Wrapper(
        lead="run",
        python=True,
        valued=_valued("--source", "--rcfile", "--include", "--omit", "--concurrency", "--data-file", "--context"),
    ),
    "_entrypoint.sh": _Wrapper(),
}


def is_wrapper(name: str, words: tuple[str, ...]) -> bool:
    """Whether a program starts another one, with these words."""
    wrapper = _WRAPPERS.get(name)
    return wrapper is not None and (not wrapper.lead or words[1:2] == (wrapper.lead,))


def unwrap(words: tuple[str, ...]) -> Unwrapped:
    """The command that a wrapper is to start."""
    wrapper = _WRAPPERS[posixpath.basename(words[0])]
    rest = list(words[2 if wrapper.lead else 1 :])
    given: dict[str, str] = {}
    while rest:
        match = _ASSIGNMENT.fullmatch(rest[0])
        if rest[0] == "--":
            rest.pop(0)
            break
        if wrapper.python and rest[0] == "-m":
            break
        if match is None and not rest[0].startswith("-"):
            break
        if match is not None and not rest[0].startswith("-"):
            given[match[1]] = match[2]
        takes = rest[0] in wrapper.valued or (wrapper.every and rest[0].startswith("--") and "=" not in rest[0])
        rest = rest[2:] if takes else rest[1:]
    rest = rest[wrapper.operands :]
    if wrapper.python and rest:
        rest = ["python", *rest]
    return Unwrapped(tuple(rest), given, may_be_alone=wrapper.operands > 0)
