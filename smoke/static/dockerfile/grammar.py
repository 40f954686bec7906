"""What each instruction must have behind its keyword for a build to begin."""

from __future__ import annotations

import re
from collections.abc import Callable

from smoke.static.dockerfile.instructions import Instruction

_LEAST = {"ADD": 2, "COPY": 2} | dict.fromkeys(
    [
        *["ARG", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "MAINTAINER"],
        *["ONBUILD", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"],
    ],
    1,
)
"""How many words an instruction needs."""


class Refused(Exception):
    """An instruction that no build would begin with; the text says why. It never leaves the parser."""


def complain(instruction: Instruction) -> None:
    """`Refused` when Docker would not take this instruction."""
    keyword, words = instruction.keyword, instruction.words
    if len(words) < _LEAST.get(keyword, 0):
        two = keyword in {"ADD", "COPY"}
        raise Refused(f"{keyword} needs a source and a destination" if two else f"{keyword} needs an argument")
    rule = _RULES.get(keyword)
    if rule is not None:
        rule(instruction)
    if instruction.trigger is not None:
        complain(instruction.trigger)


def _command(instruction: Instruction) -> None:
    if not (instruction.words or instruction.exec_form or instruction.heredocs):
        raise Refused(f"{instruction.keyword} needs an argument")


def _from(instruction: Instruction) -> None:
    words = instruction.words
    if not (len(words) == 1 or (len(words) == 3 and words[1].lower() == "as")):
        raise Refused("FROM takes an image, or an image AS a name")
    if len(words) == 3 and not re.fullmatch(r"[a-z][a-z0-9._-]*", words[2].lower()):
        raise Refused(f"{words[2][:40]!r} can't name a stage")


def _shell(instruction: Instruction) -> None:
    if not instruction.exec_form:
        raise Refused("SHELL takes a JSON array only")


def _pairs(instruction: Instruction) -> None:
    words, keyword = instruction.words, instruction.keyword
    if any(word.startswith("=") for word in words):
        raise Refused(f"{keyword} needs a name before =")
    if keyword == "ARG":
        return
    if "=" not in words[0]:
        if len(words) < 2:
            raise Refused(f"{keyword} needs a value")
        return
    bare = next((word for word in words if "=" not in word), None)
    if bare is not None:
        raise Refused(f"{keyword} has no = in {bare[:40]!r}")


def _health(instruction: Instruction) -> None:
    kind, *rest = instruction.words
    if instruction.trigger is None and kind.upper() != "NONE":
        raise Refused(f"HEALTHCHECK takes NONE or CMD, not {kind[:40]!r}")
    if instruction.trigger is None and rest:
        raise Refused("HEALTHCHECK NONE takes no argument")


_RULES: dict[str, Callable[[Instruction], None]] = {
    "RUN": _command,
    "CMD": _command,
    "ENTRYPOINT": _command,
    "FROM": _from,
    "SHELL": _shell,
    "ENV": _pairs,
    "LABEL": _pairs,
    "ARG": _pairs,
    "HEALTHCHECK": _health,
}
