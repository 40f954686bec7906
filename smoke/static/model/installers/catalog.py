"""Which command is an installer of Python distributions, and who follows it."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Sequence
from importlib import import_module

from smoke.static.model.installers.pip import pip
from smoke.static.model.installers.record import doubtful
from smoke.static.model.installers.venvs import follow_virtualenv
from smoke.static.model.stage import Stage
from smoke.static.regex import regex

_PYTHON = regex(r"(?:.*/)?python(?:3(?:\.\d+)?)?")
_PIP = regex(r"pip[\d.]*")
_PYTHON_VALUES = frozenset(["-W", "-X", "--check-hash-based-pycs"])
"""Options of Python's own that take the next word."""


def follow(stage: Stage, words: Sequence[str], line: int, given: dict[str, str]) -> bool:
    """Follow a command that is an installer; says whether it was one. `given`: its environment."""
    name, rest = posixpath.basename(words[0]), list(words[1:])
    if _PIP.fullmatch(name):
        pip(stage, rest, line, words[0], given)
    elif name in _INSTALLERS:
        _installer(name)(stage, rest, line, given)
    elif name == "easy_install":
        doubtful(stage, name, line)
    elif name == "virtualenv":
        follow_virtualenv(stage, rest, line)
    elif _PYTHON.fullmatch(words[0]) and (module := _module(rest)) is not None:
        place = rest.index(module)
        arguments = rest[place + 1 :]
        if module == "pip":
            pip(stage, arguments, line, words[0], given)
        elif module in ("venv", "virtualenv"):
            follow_virtualenv(stage, arguments, line, words[0])
        elif module in _INSTALLERS:
            _installer(module)(stage, arguments, line, given)
        elif module == "easy_install":
            doubtful(stage, module, line)
        else:
            return False
    else:
        return False
    return True


def known(name: str) -> bool:
    """Whether a program is an installer, or a Python that runs one."""
    return bool(_PIP.fullmatch(name) or _PYTHON.fullmatch(name)) or name in {*_INSTALLERS, "virtualenv", "easy_install"}


def _module(rest: list[str]) -> str | None:
    """The module that a Python is told to run with -m."""
    skipped = False
    for place, word in enumerate(rest):
        if skipped or word in _PYTHON_VALUES:
            skipped = not skipped
            continue
        if re.fullmatch(r"-[a-zA-Z]*m", word) and place + 1 < len(rest):
            return rest[place + 1]
        if (joined := re.fullmatch(r"-m(\w+)", word)) is not None:
            rest[place : place + 1] = ["-m", joined[1]]
            return joined[1]
        if not word.startswith("-") or word == "-":
            return None
    return None


_INSTALLERS = {
    **{name: name for name in ("uv", "poetry", "pipenv", "pdm", "conda", "pipx")},
    **dict.fromkeys(("mamba", "micromamba"), "conda"),
}
"""Who follows each, by module and function of one name; loaded as a command names it, since few trees need more."""


def _installer(name: str) -> Callable[[Stage, list[str], int, dict[str, str]], None]:
    module = _INSTALLERS[name]
    found: Callable[[Stage, list[str], int, dict[str, str]], None] = getattr(
        import_module(f"smoke.static.model.installers.{module}"), module
    )
    return found
