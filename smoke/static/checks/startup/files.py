"""`startup.files`: files that are opened as the code is loaded are there, and this user may open them."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from smoke.check import Check
from smoke.finding import Evidence, Finding, Severity, excerpt
from smoke.static.checks.evidence import at_source
from smoke.static.checks.loaded import absolute, climbed, misread, runs
from smoke.static.checks.startup.access import refused_access, without_temporary
from smoke.static.checks.startup.localized import unlocalized
from smoke.static.checks.startup.makers import maker_of, makers_of
from smoke.static.checks.startup.programs import lacking_programs
from smoke.static.model.image import Image
from smoke.static.python.configparser_sections import sectioned
from smoke.static.python.effects import FileUse, Use
from smoke.static.python.paths import CodePath
from smoke.static.python.program import LoadedProgram
from smoke.static.regex import regex
from smoke.static.scope import Scope

FILES = Check(
    "startup.files",
    Severity.CRITICAL,
    "files that the code opens as it is loaded are there, and this user may open them",
    "Python ends with a FileNotFoundError or PermissionError before the service serves anything.",
    "Copy the file into the image, or give its directory to the user: COPY --chown, or RUN chown.",
)


def judge_files(scope: Scope, program: LoadedProgram) -> Iterator[Finding]:
    image, graph = program.image, program.graph
    name = image.service.name
    failed, unsure, looked = False, "", 0
    makers = makers_of(program)
    for path, source in graph.modules.items():
        made: set[str] = set()
        uses = [use for effects in graph.effects(path) for use in effects.files]
        for use in (*uses, *(source.effects.settings_files if path in graph.settings else ())):
            if not runs(program, source, use.main):
                continue
            place = absolute(program, path, use.place)
            if not place:
                continue
            looked += 1
            if any(place == each or place.startswith(f"{each}/") for each in made):
                continue
            wrong, doubt = refused_access(image, place, use)
            if use.use in (Use.WRITE, Use.MAKE) and not wrong:
                made.add(place)
            if wrong and image.files.find(place) is None and (maker := maker_of(makers, path, place)):
                wrong, doubt = "", f"whether {place} is there: {maker} may make it"
            unsure = unsure or doubt
            if wrong:
                failed = True
                yield FILES.fail(wrong, name, at_source(scope, path, use.line))
    for finding in (*_written(scope, program), *_misread(scope, program), *_unlocalized(scope, program)):
        failed = True
        yield finding
    if failed:
        return
    if unsure:
        yield FILES.skip(unsure, name)
    else:
        yield FILES.passed(f"{looked} paths that are opened as the code is loaded are within reach", name)


def judge_written(image: Image) -> Iterator[Finding]:
    """Files that a program of others' makes as it starts, where none of the tree's code is known to start."""
    for each in image.start.writes if image.unstarted and not image.broken and not image.start.trouble else ():
        place = posixpath.normpath(posixpath.join(image.start.workdir or image.workdir, each))
        yield from _refused(image, image.start.words[0], place, Use.WRITE)


_SCHEDULES = regex(rb"(?i)beat_schedule(?:r|_filename)|config_from_object")
"""What may put the schedule of Celery elsewhere."""


def _written(scope: Scope, program: LoadedProgram) -> Iterator[Finding]:
    """Files that the command itself makes: logs, schedules."""
    image, start = program.image, program.image.start
    if without_temporary(image):
        at = [Evidence(start.file or image.dockerfile, start.line, excerpt(" ".join(start.words)))]
        message = f"{start.server} finds no directory for its temporary files: the file system is read-only"
        yield FILES.fail(message, image.service.name, at, remedy="Give the service a tmpfs at /tmp.")
    made = {posixpath.join(image.workdir, word) for words in start.ran if words[0] == "mkdir" for word in words[1:]}
    for each in start.writes:
        if posixpath.basename(each) == "celerybeat-schedule" and any(
            _SCHEDULES.search(scope.tree.data(path)) for path in program.graph.modules
        ):
            continue
        place = posixpath.normpath(posixpath.join(start.workdir or image.workdir, each))
        if posixpath.dirname(place) not in made:
            yield from _refused(image, start.server, place, Use.WRITE)
    for each in start.written:
        use = Use.MAKE if each.endswith("/") else Use.WRITE
        yield from _refused(image, "the entry script", posixpath.normpath(each), use)


def _refused(image: Image, who: str, place: str, use: Use) -> Iterator[Finding]:
    """What a program that is started before the code, or with it, may not write."""
    start = image.start
    wrong, _ = refused_access(image, place, FileUse(0, CodePath(place), use))
    if wrong:
        at = [Evidence(start.file or image.dockerfile, start.line, excerpt(" ".join(start.words)))]
        yield FILES.fail(f"{who}: {wrong.replace(' as the code is loaded', '')}", image.service.name, at)


def _misread(scope: Scope, program: LoadedProgram) -> Iterator[Finding]:
    yield from _sectionless(scope, program)
    for each in (*climbed(scope, program), *misread(scope, program)):
        yield FILES.fail(each.message, program.image.service.name, each.at, remedy=each.remedy)
    yield from (each.finding(FILES, scope, program) for each in lacking_programs(program))


def _sectionless(scope: Scope, program: LoadedProgram) -> Iterator[Finding]:
    """Files of which a section is taken, and that are not there."""
    files = program.image.files
    for path, source in program.graph.modules.items():
        for each in sectioned(scope.tree.data(path)) if runs(program, source, False) else ():
            place = absolute(program, path, each.place)
            if place and files.find(place) is None and not files.doubt(place):
                message = f"{place} is not in the image, and its section {each.section} is taken as the code is loaded"
                yield FILES.fail(message, program.image.service.name, at_source(scope, path, each.line))


def _unlocalized(scope: Scope, program: LoadedProgram) -> Iterator[Finding]:
    for each in unlocalized(program):
        at = at_source(scope, each.path, each.line)
        yield FILES.fail(each.message, program.image.service.name, at, remedy=each.remedy)
