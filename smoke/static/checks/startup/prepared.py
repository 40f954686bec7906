"""Steps of a build that load Django's settings, and the variables that these demand."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from smoke.static.python.program import LoadedProgram
from smoke.static.regex import regex

_MANAGE = regex(
    r"(?:^|[\s;&|(])(?:python[\d.]*\s+)?\S*manage\.py\s+(collectstatic|compilemessages|compress|check|migrate)\b"
)

_GIVES = regex(r"dotenv|read_env|environ\.update|environ\[[^\]]+\]\s*=")


class Wanting(Struct, frozen=True):
    """A step, the variable that it lacks, and where the settings demand it."""

    line: int
    command: str
    variable: str
    path: str
    demanded: int


_ELSEWHERE = ("STORAGES", "STATICFILES_STORAGE", "STATIC_ROOT")
"""Settings that say where collected files go."""


def rootless_steps(program: LoadedProgram) -> Iterator[tuple[int, str]]:
    """Steps that collect static files although no settings say where to: the line, and the settings' module."""
    image, graph = program.image, program.graph
    settings = [graph.modules[path] for path in sorted(graph.settings & graph.modules.keys())]
    stars = [star for source in settings for star in source.stars]
    open_ = any(each.dynamic or each.error or each.doubt for each in settings) or len(stars) >= len(settings)
    if open_ or any(name in source.names for source in settings for name in _ELSEWHERE):
        return
    named = {named.name for source in settings for named in source.effects.settings}
    stage = image.final
    for each in stage.instructions if stage is not None else ():
        found = _MANAGE.search(each.text) if each.keyword == "RUN" else None
        alone = found is not None and not re.search(r"\|\||;|--settings|--dry-run|-n\b|SETTINGS_MODULE", each.text)
        if found is not None and found[1] == "collectstatic" and alone and "django.contrib.staticfiles" in named:
            yield each.line, settings[0].path


def wanting_steps(program: LoadedProgram) -> Iterator[Wanting]:
    """Steps that run `manage.py` without a variable that nothing in the Dockerfile as much as names."""
    image, graph = program.image, program.graph
    settings = {path: graph.modules[path] for path in sorted(graph.settings & graph.modules.keys())}
    if image.base is None or any(
        source.effects.gives_environment or source.effects.reads_dotenv for source in settings.values()
    ):
        return
    told = "\n".join(each.text for each in image.parsed.instructions)
    if _given_by_program(program):
        return
    stage = image.final
    for each in stage.instructions if stage is not None else ():
        found = _MANAGE.search(each.text) if each.keyword == "RUN" else None
        if found is None or re.search(r"\|\||--settings|--env-file|--mount|DJANGO_SETTINGS_MODULE", each.text):
            continue
        for path, source in settings.items():
            for demand in source.effects.demands:
                named = re.search(rf"\b{re.escape(demand.name)}\b", told)
                if not named and not demand.main and not demand.file:
                    yield Wanting(
                        line=each.line, command=found[1], variable=demand.name, path=path, demanded=demand.line
                    )


def _given_by_program(program: LoadedProgram) -> bool:
    """Whether a manage.py of the image puts variables into the environment itself."""
    files = (entry for path, entry in program.image.files.entries.items() if path.endswith("/manage.py"))
    texts = (program.importer.tree.text(entry.source) for entry in files if entry.source)
    return any(_GIVES.search(text) for text in texts)
