"""`dependencies.declared`: what is imported is installed, where this user's Python looks."""

from __future__ import annotations

from collections.abc import Iterator

from smoke.check import Check
from smoke.finding import Evidence, Finding, Severity
from smoke.static.checks import remedies
from smoke.static.checks.dependencies.absence import Absence
from smoke.static.checks.dependencies.companions import lacking_companions, lacking_extras, lacking_needs
from smoke.static.checks.dependencies.doubts import doubt_of
from smoke.static.checks.dependencies.metadata import lacking_metadata
from smoke.static.checks.dependencies.moved import moved_names
from smoke.static.checks.evidence import at_source
from smoke.static.model.doubt import DoubtCause
from smoke.static.python.distributions import bringers, part_of
from smoke.static.python.graph import Outside
from smoke.static.python.importer import version_of
from smoke.static.python.installed import Answer, Presence
from smoke.static.python.program import LoadedProgram
from smoke.static.python.standard import has_module
from smoke.static.scope import Scope

DECLARED = Check(
    "dependencies.declared",
    Severity.CRITICAL,
    "every third-party import is installed in this image, where its user's Python looks",
    "Python ends with a ModuleNotFoundError as the service is loaded.",
    "Add the distribution to the requirement file that this image installs.",
)


def judge_declared(scope: Scope, program: LoadedProgram) -> Iterator[Finding]:
    """What is not installed, what is installed where Python does not look, and what cannot be told."""
    findings = [
        *(
            DECLARED.fail(each.message, program.image.service.name, [Evidence(each.path, each.line)])
            for each in program.installed.troubles
        ),
        *_imported(scope, program),
        *(each.finding(DECLARED, scope, program) for each in _further(program)),
    ]
    yield from findings or [_untroubled(program)]


def _further(program: LoadedProgram) -> Iterator[Absence]:
    """What is lacking beside the modules that imports name."""
    yield from lacking_extras(program)
    yield from lacking_metadata(program)
    yield from lacking_companions(program)
    yield from lacking_needs(program)
    yield from moved_names(program)


def _untroubled(program: LoadedProgram) -> Finding:
    """What comes out where nothing was found: a pass, where all could be followed."""
    name, graph = program.image.service.name, program.graph
    if graph.entry is None:
        return DECLARED.skip("what is started is not a file of the tree", name)
    if graph.doubts:
        return DECLARED.skip(f"not every import could be followed: {graph.doubts[0].message}", name)
    return DECLARED.passed(f"{len({each.top for each in graph.outside})} third-party imports are installed", name)


def _imported(scope: Scope, program: LoadedProgram) -> Iterator[Finding]:
    """Each imported module once, and those that one directory hides together."""
    hidden: dict[str, list[Outside]] = {}
    seen: set[tuple[str, bool]] = set()
    for outside in sorted(_wanted(program), key=lambda each: (each.lazy, each.source, each.line)):
        what = part_of(outside.name) or outside.top
        if outside.caught or (what, False) in seen or (what, outside.lazy) in seen:
            continue
        seen.add((what, outside.lazy))
        answer = program.installed.has(outside.name)
        if outside.top == "MySQLdb" and _stood_in_for(scope, program):
            continue
        if answer.presence is Presence.HIDDEN:
            hidden.setdefault(answer.reason, []).append(outside)
        elif (finding := _one(scope, program, outside, answer)) is not None:
            yield finding
    for directory, imports in hidden.items():
        yield _unseen(program, directory, imports)


def _wanted(program: LoadedProgram) -> list[Outside]:
    """What the code imports, and what the command needs itself."""
    image = program.image
    needed = [
        Outside(name=each, source=image.dockerfile, line=image.start.line, caught=False, lazy=False, by="the command")
        for each in image.start.needs
    ]
    return [*needed, *program.graph.outside]


def _one(scope: Scope, program: LoadedProgram, outside: Outside, answer: Answer) -> Finding | None:
    image = program.image
    name = image.service.name
    at = at_source(scope, outside.source, outside.line)
    severity = Severity.WARNING if outside.lazy else None
    unsure = answer.presence in (Presence.UNKNOWN, Presence.ABSENT)
    if unsure and not outside.by and _of_another_case(program, outside.top):
        return DECLARED.fail(_message(program, outside), name, at, severity=severity)
    match answer.presence:
        case Presence.ASKED | Presence.HIDDEN:
            return None
        case Presence.BROUGHT:
            message = f"{outside.top} is there because something else needs {answer.by}, which no one asks for by name"
            why = "It goes away when the other no longer needs it."
            return None if outside.by else DECLARED.fail(message, name, at, severity=Severity.INFO, why=why)
        case Presence.UNKNOWN:
            return DECLARED.skip(f"whether {outside.top} is installed: {answer.reason}", name, at)
    if doubt := doubt_of(program, outside.top):
        return DECLARED.skip(f"whether {outside.top} is installed: {doubt}", name, at)
    return DECLARED.fail(_message(program, outside), name, at, severity=severity, remedy=_remedy(program, outside))


def _remedy(program: LoadedProgram, outside: Outside) -> str:
    """What to type, where one distribution alone is known to bring the module; empty for the check's own remedy."""
    known = bringers(outside.top)
    return remedies.to_install(program.image, known[0]) if len(known) == 1 else ""


def _stood_in_for(scope: Scope, program: LoadedProgram) -> bool:
    """Whether PyMySQL is told to stand in for MySQLdb."""
    return any(b"install_as_MySQLdb" in scope.tree.data(path) for path in program.graph.modules)


def _of_another_case(program: LoadedProgram, top: str) -> bool:
    """Whether what an import means is a module of the tree in other letters: no distribution is known to bring it,
    and nothing but the base could have put it beside that."""
    doubts = (each for place in program.importer.own for each in program.image.files.every_doubt(f"{place}/{top}"))
    known = bool(bringers(top)) or has_module(top, None)
    return (
        not known and bool(program.importer.other_case(top)) and all(each.cause is DoubtCause.BASE for each in doubts)
    )


def _message(program: LoadedProgram, outside: Outside) -> str:
    version = version_of(program.image)
    if outside.by:
        return f"{outside.by} needs {outside.name}, and nothing that this image installs brings it"
    if has_module(outside.top, None) and version is not None:
        shown = f"Python {version[0]}.{version[1]}"
        return f"{outside.top} is imported: the standard library of {shown} does not have it, and nothing installs it"
    other = program.importer.other_case(outside.top)
    hint = f" ({other} has another name on Linux)" if other else ""
    return f"{outside.top} is imported, and nothing that this image installs brings it{hint}"


def _unseen(program: LoadedProgram, directory: str, imports: list[Outside]) -> Finding:
    """What is installed, but not where Python looks: one finding for all imports."""
    image = program.image
    line = next((each.line for each in image.installs if each.directory == directory), 0)
    names = ", ".join(sorted({each.top for each in imports}))
    where = [Evidence(image.dockerfile, line), *(Evidence(each.source, each.line) for each in imports[:5])]
    message = f"{names} is installed to {directory}, where the Python that is started does not look"
    remedy = "Start the Python of that environment, or install to a directory that PYTHONPATH names."
    return DECLARED.fail(message, image.service.name, where, remedy=remedy)
