"""Instructions by which an image tells its engine, or people, of itself: LABEL, EXPOSE, STOPSIGNAL."""

from __future__ import annotations

import re

from smoke.static.dockerfile.instructions import Instruction
from smoke.static.dockerfile.stages import BuildStage
from smoke.static.model.building import MAX_SHOWN, Building, Made
from smoke.static.model.image import Label
from smoke.static.model.pairs import check_pairs

MAX_PORTS = 1_000
_SIGNALS = frozenset(
    [
        "ABRT",
        "ALRM",
        "BUS",
        "CHLD",
        "CLD",
        "CONT",
        "FPE",
        "HUP",
        "ILL",
        "INT",
        "IO",
        "IOT",
        "KILL",
        "PIPE",
        "POLL",
        "PROF",
        "PWR",
        "QUIT",
        "SEGV",
        "STKFLT",
        "STOP",
        "SYS",
        "TERM",
        "TRAP",
        "TSTP",
        "TTIN",
        "TTOU",
        "UNUSED",
        "URG",
        "USR1",
        "USR2",
        "VTALRM",
        "WINCH",
        "XCPU",
        "XFSZ",
    ]
)
"""Signals of Linux, without SIG."""


def label(build: Building, made: Made, instruction: Instruction, stage: BuildStage) -> None:
    """LABEL; a variable that nothing set makes an empty value."""
    check_pairs(build, made, instruction)
    for word in (
        instruction.words if "=" in (instruction.words or ("",))[0] else [instruction.text.replace(" ", "=", 1)]
    ):
        name, _, value = word.partition("=")
        found = made.variables.expand(value)
        key = made.variables.expand(name).text
        made.labels[key] = Label(key, found.text, instruction.line, found.unset)


def expose(build: Building, made: Made, instruction: Instruction, stage: BuildStage) -> None:
    """EXPOSE."""
    words = [each for word in instruction.words for each in build.expand(made, word, instruction).words]
    for text in words:
        port, _, protocol = text.rpartition(":")[2].partition("/")
        first, _, last = port.partition("-")
        last = last or first
        if not (_is_port(first) and _is_port(last) and int(first) <= int(last)):
            build.refuse(instruction, f"EXPOSE {text[:MAX_SHOWN]}: that is not a port")
        elif protocol.lower() not in ("", "tcp", "udp", "sctp"):
            build.refuse(instruction, f"EXPOSE {text[:MAX_SHOWN]}: the protocol is tcp, udp or sctp")
        elif protocol.lower() in ("", "tcp"):
            made.ports += range(int(first), min(int(last), int(first) + MAX_PORTS) + 1)
    if not words:
        made.ports_doubt = f"EXPOSE of line {instruction.line} names no port"
    made.ports_line = instruction.line


def stop_signal(build: Building, made: Made, instruction: Instruction, stage: BuildStage) -> None:
    """STOPSIGNAL, by name or number."""
    text = build.expand(made, instruction.text, instruction).text.strip()
    name = text.upper().removeprefix("SIG")
    if "$" not in text and not (text.isdigit() and 0 < int(text[:4]) < 65) and not _is_signal(name):
        build.refuse(instruction, f"STOPSIGNAL {text[:MAX_SHOWN]}: there is no such signal")


def _is_signal(name: str) -> bool:
    return name in _SIGNALS or re.fullmatch(r"RTMIN(?:\+\d{1,2})?|RTMAX(?:-\d{1,2})?", name) is not None


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 6 and int(text) < 65536
