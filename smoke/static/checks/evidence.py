"""Lines of the tree as evidence: of a Dockerfile, of a module, of the stage that becomes the image."""

from __future__ import annotations

from smoke.finding import Evidence, excerpt
from smoke.static.model.image import Image
from smoke.static.scope import Scope


def at_instruction(image: Image, line: int) -> tuple[Evidence, ...]:
    """A line of the image's Dockerfile, with the instruction that begins there."""
    for instruction in image.parsed.instructions:
        if instruction.line == line:
            return (Evidence(image.dockerfile, line, excerpt(instruction.excerpt())),)
    return (Evidence(image.dockerfile, line),)


def final_line(image: Image) -> int:
    """The line of the FROM that begins the final stage; 0 when there is none."""
    return image.final.opening.line if image.final is not None else 0


def shown(scope: Scope, path: str, line: int) -> str:
    """What stands in a line of a file; empty for a line that it does not have."""
    lines = scope.tree.text(path).split("\n")
    return excerpt(lines[line - 1] if 0 < line <= len(lines) else "")


def at_source(scope: Scope, path: str, line: int) -> list[Evidence]:
    """A line of a file of the tree."""
    return [Evidence(path, line, shown(scope, path, line))]
