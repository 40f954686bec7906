"""Instructions that say what a container starts, and what asks how it is: ENTRYPOINT, CMD, SHELL, HEALTHCHECK."""

from __future__ import annotations

from smoke.static.dockerfile.instructions import Instruction
from smoke.static.dockerfile.stages import BuildStage
from smoke.static.model.building import Building, Made
from smoke.static.model.effective_command import Form
from smoke.static.model.image import HealthCheck


def entrypoint(build: Building, made: Made, instruction: Instruction, stage: BuildStage) -> None:
    """ENTRYPOINT; it takes away the CMD of what the stage is built on, unless one of its own came before."""
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


def shell(build: Building, made: Made, instruction: Instruction, stage: BuildStage) -> None:
    """SHELL."""
    made.shell = instruction.words


def healthcheck(build: Building, made: Made, instruction: Instruction, stage: BuildStage) -> None:
    """HEALTHCHECK."""
    inner = instruction.trigger
    if inner is None:
        made.health = HealthCheck(instruction.line, disabled=True)
    else:
        words = inner.words if inner.exec_form else (inner.text,)
        made.health = HealthCheck(instruction.line, words, not inner.exec_form)


def _words(build: Building, made: Made, instruction: Instruction) -> tuple[str, ...]:
    return instruction.words if instruction.exec_form else (*made.shell, instruction.text)
