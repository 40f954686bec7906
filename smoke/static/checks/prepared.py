"""Steps of a build that load Django's settings, and the variables that these demand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from smoke.static.python.program import Program

_MANAGE = re.compile(
    r"(?:^|[\s;&|(])(?:python[\d.]*\s+)?\S*manage\.py\s+(collectstatic|compilemessages|compress|check|migrate)\b"
)


@dataclass(frozen=True)
class Wanting:
    """A step, the variable that it lacks, and where the settings demand it."""

    line: int
    command: str
    variable: str
    path: str
    demanded: int


def wanting_steps(program: Program) -> Iterator[Wanting]:
    """Steps that run `manage.py` without a variable that nothing in the Dockerfile as much as names."""
    image, graph = program.image, program.graph
    settings = {path: graph.modules[path] for path in sorted(graph.settings & graph.modules.keys())}
    if image.base is None or any(source.effects.gives_environment for source in settings.values()):
        return
    told = "\n".join(each.text for each in image.parsed.instructions)
    stage = image.final
    for each in stage.instructions if stage is not None else ():
        found = _MANAGE.search(each.text) if each.keyword == "RUN" else None
        if found is None or re.search(r"\|\||--settings|--env-file|--mount|DJANGO_SETTINGS_MODULE", each.text):
            continue
        for path, source in settings.items():
            for demand in source.effects.demands:
                named = re.search(rf"\b{re.escape(demand.name)}\b", told)
                if not named and not demand.main and not demand.file:
                    yield Wanting(each.line, found[1], demand.name, path, demand.line)
