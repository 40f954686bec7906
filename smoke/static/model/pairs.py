"""The names and values that ENV and LABEL are given, in either of their two forms."""

from __future__ import annotations

from smoke.static.dockerfile.instructions import Instruction
from smoke.static.model.building import Building, Made


def check_pairs(build: Building, made: Made, instruction: Instruction) -> None:
    """What ENV and LABEL are given can be read, in either form."""
    first = (instruction.words or ("",))[0]
    for word in instruction.words if "=" in first else (first, instruction.text[len(first) :].strip()):
        build.expand(made, word, instruction)
