"""Variables that the code makes numbers of as it is loaded."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from smoke.static.checks.loaded import runs
from smoke.static.python.converted import converted, is_number
from smoke.static.python.program import LoadedProgram
from smoke.static.scope import Scope

MAX_SHOWN = 40


class OddNumber(Struct, frozen=True):
    """A number that is none: where the code makes it, why it cannot, and what to do."""

    path: str
    line: int
    message: str
    remedy: str


def odd_numbers(scope: Scope, program: LoadedProgram) -> Iterator[OddNumber]:
    """Variables that are made numbers of, and are given as something else."""
    image = program.image
    for path, source in program.graph.modules.items():
        if not runs(program, source, False) or any(
            each.gives_environment or each.reads_dotenv for each in program.graph.effects(path)
        ):
            continue
        for each in converted(scope.tree.data(path)):
            value = image.environment.get(each.name)
            if value is None and (image.launch is None or not image.launch.environment_doubt):
                value = each.default
            if value is not None and "$" not in value and not is_number(value, each.kind):
                shown = value if len(value) < MAX_SHOWN else value[:MAX_SHOWN] + "..."
                message = f"{each.name} is {shown!r}, and {each.kind}() of it is taken as the code is loaded"
                yield OddNumber(path, each.line, message, f"Give {each.name} as a number.")
