"""What each instruction must have behind its keyword for a build to begin."""

from __future__ import annotations

import re
from collections.abc import Callable

from smoke.static.dockerfile.instructions import HEREDOC, Instruction
from smoke.static.regex import regex

_LEAST = {"ADD": 2, "COPY": 2} | dict.fromkeys(
    [
        *["ARG", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "MAINTAINER"],
        *["ONBUILD", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"],
    ],
    1,
)
"""How many words an instruction needs."""


class RefusedInstruction(Exception):
    """An instruction that no build would begin with; the text says why. It never leaves the parser."""


def complain(instruction: Instruction) -> None:
    """`RefusedInstruction` when Docker would not take this instruction."""
    keyword, words = instruction.keyword, instruction.words
    if len(words) < _LEAST.get(keyword, 0):
        two = keyword in {"ADD", "COPY"}
        raise RefusedInstruction(
            f"{keyword} needs a source and a destination" if two else f"{keyword} needs an argument"
        )
    rule = _RULES.get(keyword)
    if rule is not None:
        rule(instruction)


def _from(instruction: Instruction) -> None:
    words = instruction.words
    if not (len(words) == 1 or (len(words) == 3 and words[1].lower() == "as")):
        raise RefusedInstruction("FROM takes an image, or an image AS a name")
    if len(words) == 3 and not re.fullmatch(r"[a-z][a-z0-9._-]*", words[2].lower()):
        raise RefusedInstruction(f"{words[2][:40]!r} cannot name a stage")


def _shell(instruction: Instruction) -> None:
    if not instruction.exec_form or not instruction.words:
        raise RefusedInstruction("SHELL takes a JSON array only")


def _once(instruction: Instruction) -> None:
    """COPY and ADD: what they write to is a path."""
    target = HEREDOC.fullmatch(instruction.words[-1])
    if target is not None and target[2]:
        raise RefusedInstruction(f"{instruction.keyword} cannot write to a here-document")
    if "$" in (instruction.flag("from") or ""):
        raise RefusedInstruction("--from takes no variable: name a stage for it, which FROM may make of one")


def _run(instruction: Instruction) -> None:
    network, security = instruction.flag("network"), instruction.flag("security")
    if network not in (None, "default", "none", "host"):
        raise RefusedInstruction(f"--network is default, none or host, not {network[:40]!r}")
    if security not in (None, "insecure", "sandbox"):
        raise RefusedInstruction(f"--security is insecure or sandbox, not {security[:40]!r}")
    for name, value in instruction.flags:
        if name == "mount":
            _mount(value)


_MOUNT_TYPES = ("bind", "cache", "tmpfs", "secret", "ssh")
_MOUNT_BARE = frozenset({"readonly", "ro", "readwrite", "rw", "required"})
_MOUNT_KEYS = _MOUNT_BARE | {
    *["type", "from", "source", "src", "target", "dst", "destination", "size", "id", "sharing", "mode"],
    *["uid", "gid", "env"],
}
_BOOLEANS = frozenset({"1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False"})


def _mount(text: str) -> None:
    """One --mount=; what holds a variable is known only when the stage is built."""
    import csv  # noqa: PLC0415 - few Dockerfiles mount anything

    given: dict[str, str] = {}
    for field in next(csv.reader([text]), []):
        key, equals, value = field.partition("=")
        key = key.lower()
        if key not in _MOUNT_KEYS:
            raise RefusedInstruction(f"--mount knows no {key[:40]!r}")
        if not equals and key not in _MOUNT_BARE:
            raise RefusedInstruction(f"--mount needs a value for {key}")
        given[key] = value if equals else "true"
    kind = given.get("type", "bind").lower()
    if "$" in text:
        if re.search(r"\$.", given.get("from", "")):
            raise RefusedInstruction("--mount=from= takes no variable: name a stage for it")
        return
    if kind not in _MOUNT_TYPES:
        raise RefusedInstruction(f"--mount knows no type {kind[:40]!r}, only {', '.join(_MOUNT_TYPES)}")
    _mount_values(kind, given)


def _mount_values(kind: str, given: dict[str, str]) -> None:
    wrong = next((key for key in sorted(_MOUNT_BARE & given.keys()) if given[key] not in _BOOLEANS), None)
    octal, number = re.compile(r"[0-7]+"), re.compile(r"\d+")
    for key, form in (("mode", octal), ("uid", number), ("gid", number)):
        if key in given and not form.fullmatch(given[key]):
            wrong = wrong or key
    if wrong is not None:
        raise RefusedInstruction(f"--mount cannot read {wrong}={given[wrong][:40]}")
    of_types = {"required": ("secret", "ssh"), "size": ("tmpfs",), "sharing": ("cache",)}
    of_types |= dict.fromkeys(("mode", "uid", "gid"), ("secret", "ssh", "cache"))
    for key, kinds in of_types.items():
        if key in given and kind not in kinds:
            raise RefusedInstruction(f"--mount has no {key} for the type {kind}")
    if given.get("sharing", "shared").lower() not in ("shared", "private", "locked"):
        raise RefusedInstruction(f"--mount shares as shared, private or locked, not {given['sharing'][:40]!r}")
    if kind == "secret":
        source, target, name = (bool({*keys} & given.keys()) for keys in (_SOURCES, _TARGETS, ("id",)))
        if not (source or target or name):
            raise RefusedInstruction("--mount=type=secret needs an id, source or target")
        if "from" in given or (source and name):
            raise RefusedInstruction("--mount=type=secret takes no from, and either id or source")


_SOURCES, _TARGETS = ("source", "src"), ("target", "dst", "destination")


def _pairs(instruction: Instruction) -> None:
    words, keyword = instruction.words, instruction.keyword
    # ENV and LABEL take a name without = and the rest of the line for its value, whatever that holds.
    if (keyword == "ARG" or "=" in words[0]) and any(word.startswith("=") for word in words):
        raise RefusedInstruction(f"{keyword} needs a name before =")
    if keyword == "ARG":
        return
    if "=" not in words[0]:
        if len(instruction.text.split(maxsplit=1)) < 2:
            raise RefusedInstruction(f"{keyword} needs a value")
        return
    bare = next((word for word in words if "=" not in word), None)
    if bare is not None:
        raise RefusedInstruction(f"{keyword} has no = in {bare[:40]!r}")


def _health(instruction: Instruction) -> None:
    kind, *rest = instruction.words
    if instruction.trigger is not None and not instruction.trigger.words:
        raise RefusedInstruction("HEALTHCHECK CMD needs a command")
    if instruction.trigger is None and kind.upper() != "NONE":
        raise RefusedInstruction(f"HEALTHCHECK takes NONE or CMD, not {kind[:40]!r}")
    if instruction.trigger is None and "".join(rest) not in ("", "[]"):
        raise RefusedInstruction("HEALTHCHECK NONE takes no argument")
    for name, value in instruction.flags:
        if name == "retries":
            if value and not re.fullmatch(r"\+?\d{1,9}", value):
                raise RefusedInstruction(f"--retries takes a whole number, not {value[:40]!r}")
        elif value:
            _duration(name, value)


_UNITS = {"ns": 1e-6, "us": 1e-3, "\N{MICRO SIGN}s": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4, "h": 3.6e6}
_PARTS = regex(r"(\d+\.?\d*|\.\d+)(ns|us|\N{MICRO SIGN}s|ms|s|m|h)")
_DURATION = regex(r"[+-]?(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|\N{MICRO SIGN}s|ms|s|m|h))+")


def _duration(name: str, value: str) -> None:
    """Go's durations; what is above zero is at least a millisecond."""
    if value in ("0", "+0", "-0"):
        return
    if not _DURATION.fullmatch(value):
        raise RefusedInstruction(f"--{name} takes a time such as 30s or 1m30s, not {value[:40]!r}")
    if value.startswith("-") and re.search(r"[1-9]", value):
        raise RefusedInstruction(f"--{name} cannot be below zero")
    longest = max(_UNITS[unit] * float(number) for number, unit in _PARTS.findall(value))
    if 0 < longest < 1:
        raise RefusedInstruction(f"--{name} is a millisecond at least, or 0")


def _volume(instruction: Instruction) -> None:
    if any(not word.strip() for word in instruction.words):
        raise RefusedInstruction("VOLUME needs a path")


def _deferred(instruction: Instruction) -> None:
    """ONBUILD: of its trigger only names without a value are refused by this build already."""
    trigger = instruction.trigger
    if trigger is not None and trigger.keyword in {"ENV", "LABEL"} and trigger.words:
        _pairs(trigger)


_RULES: dict[str, Callable[[Instruction], None]] = {
    "ONBUILD": _deferred,
    "RUN": _run,
    "ADD": _once,
    "COPY": _once,
    "VOLUME": _volume,
    "FROM": _from,
    "SHELL": _shell,
    "ENV": _pairs,
    "LABEL": _pairs,
    "ARG": _pairs,
    "HEALTHCHECK": _health,
}
