"""Instructions that say how the image is started and described: ENV, USER, EXPOSE, CMD and their kin."""

from __future__ import annotations

import re

from smoke.static.dockerfile.instructions import Instruction
from smoke.static.dockerfile.stages import BuildStage
from smoke.static.model.building import MAX_SHOWN, Building, Made
from smoke.static.model.effective_command import Form
from smoke.static.model.filesystem import PathEntry
from smoke.static.model.image import HealthCheck, Label

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


def arg(build: Building, made: Made, instruction: Instruction, stage: BuildStage) -> None:
    """ARG."""
    for word in instruction.words:
        build.expand(made, word, instruction)
    made.variables.declare(instruction)


def env(build: Building, made: Made, instruction: Instruction, stage: BuildStage) -> None:
    """ENV."""
    _check_pairs(build, made, instruction)
    pairs, _ = made.variables.pairs(instruction)
    made.variables.environment.update(pairs)
    made.state.environment.update(pairs)


def _check_pairs(build: Building, made: Made, instruction: Instruction) -> None:
    """What ENV and LABEL are given can be read, in either form."""
    first = (instruction.words or ("",))[0]
    for word in instruction.words if "=" in first else (first, instruction.text[len(first) :].strip()):
        build.expand(made, word, instruction)


def workdir(build: Building, made: Made, instruction: Instruction, stage: BuildStage) -> None:
    """WORKDIR, which makes the directory for the user in force."""
    made.state.workdir = made.state.path(build.expand(made, instruction.text, instruction).text)
    held = made.state.files.find(made.state.workdir)
    if held is not None and held.kind == "file":
        build.refuse(instruction, f"WORKDIR {made.state.workdir}: a file is there")
    # Builders differ about the user that a base brings.
    own = made.state.number(made.state.user) if made.state.user else 0
    user = own if made.user_line or not own else None
    made.state.files.add(made.state.workdir, PathEntry("directory", user=user, mode=0o755, line=instruction.line))


def user(build: Building, made: Made, instruction: Instruction, stage: BuildStage) -> None:
    """USER."""
    made.state.user = build.expand(made, instruction.text, instruction).text.strip()
    made.user_line = instruction.line


def label(build: Building, made: Made, instruction: Instruction, stage: BuildStage) -> None:
    """LABEL; a variable that nothing set makes an empty value."""
    _check_pairs(build, made, instruction)
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


def healthcheck(build: Building, made: Made, instruction: Instruction, stage: BuildStage) -> None:
    """HEALTHCHECK."""
    inner = instruction.trigger
    if inner is None:
        made.health = HealthCheck(instruction.line, disabled=True)
    else:
        words = inner.words if inner.exec_form else (inner.text,)
        made.health = HealthCheck(instruction.line, words, not inner.exec_form)


def entrypoint(build: Building, made: Made, instruction: Instruction, stage: BuildStage) -> None:
    """ENTRYPOINT; it takes the base's CMD away, unless a CMD of this file came before."""
    made.entrypoint = _words(build, made, instruction)
    made.start_line = instruction.line
    if not made.command_set:
        made.command = ()
    if not instruction.exec_form:
        made.command_form = Form.SHELL_ENTRYPOINT
    elif made.command_form is Form.SHELL_ENTRYPOINT:
        made.command_form = Form.EXEC


def cmd(build: Building, made: Made, instruction: Instruction, stage: BuildStage) -> None:
    """CMD."""
    made.command = _words(build, made, instruction)
    made.command_set = True
    made.start_line = instruction.line
    if made.command_form is not Form.SHELL_ENTRYPOINT:
        made.command_form = Form.EXEC if instruction.exec_form else Form.SHELL_COMMAND


def stop_signal(build: Building, made: Made, instruction: Instruction, stage: BuildStage) -> None:
    """STOPSIGNAL, by name or number."""
    text = build.expand(made, instruction.text, instruction).text.strip()
    name = text.upper().removeprefix("SIG")
    if "$" not in text and not (text.isdigit() and 0 < int(text[:4]) < 65) and not _is_signal(name):
        build.refuse(instruction, f"STOPSIGNAL {text[:MAX_SHOWN]}: there is no such signal")


def shell(build: Building, made: Made, instruction: Instruction, stage: BuildStage) -> None:
    """SHELL."""
    made.shell = instruction.words


def _words(build: Building, made: Made, instruction: Instruction) -> tuple[str, ...]:
    return instruction.words if instruction.exec_form else (*made.shell, instruction.text)


def _is_signal(name: str) -> bool:
    return name in _SIGNALS or re.fullmatch(r"RTMIN(?:\+\d{1,2})?|RTMAX(?:-\d{1,2})?", name) is not None


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 6 and int(text) < 65536
