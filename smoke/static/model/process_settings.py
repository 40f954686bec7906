"""Instructions that say what programs find around them: ARG and ENV, WORKDIR, USER."""

from __future__ import annotations

from smoke.static.dockerfile.instructions import Instruction
from smoke.static.dockerfile.stages import BuildStage
from smoke.static.model.building import Building, Made
from smoke.static.model.filesystem import PathEntry
from smoke.static.model.pairs import check_pairs


def arg(build: Building, made: Made, instruction: Instruction, stage: BuildStage) -> None:
    """ARG."""
    for word in instruction.words:
        build.expand(made, word, instruction)
    made.variables.declare(instruction)


def env(build: Building, made: Made, instruction: Instruction, stage: BuildStage) -> None:
    """ENV."""
    check_pairs(build, made, instruction)
    pairs, _ = made.variables.pairs(instruction)
    made.variables.environment.update(pairs)
    made.state.environment.update(pairs)


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
