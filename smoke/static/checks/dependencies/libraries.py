"""`dependencies.libraries`: the shared libraries that distributions load are in the image."""

from __future__ import annotations

from collections.abc import Iterator

from smoke.check import Check
from smoke.finding import Evidence, Finding, Severity
from smoke.static.checks.dependencies.browsers import lacking_browsers
from smoke.static.checks.dependencies.carried import lacking_of_wheels
from smoke.static.checks.dependencies.shared_libraries import lacking_libraries
from smoke.static.python.distributions import BUNDLED, SHARED_LIBRARIES, modules
from smoke.static.python.installed import Brought
from smoke.static.python.program import LoadedProgram
from smoke.static.scope import Scope

LIBRARIES = Check(
    "dependencies.libraries",
    Severity.CRITICAL,
    "the shared libraries that installed distributions load are in the image",
    "Python ends with an ImportError: cannot open shared object file.",
    "Install the library's package in the final stage, or a distribution that brings it along.",
)
_BINARY_TWINS = {"psycopg2": "psycopg2-binary", "opencv-python": "opencv-python-headless"}


def judge_libraries(scope: Scope, program: LoadedProgram) -> Iterator[Finding]:
    image = program.image
    name = image.service.name
    used = {each.top for each in program.graph.outside if not each.caught}
    installed = [
        (distribution, brought)
        for brought in program.installed.each
        if brought.install.visible is not False
        for distribution in sorted(brought.asked)
        if distribution in SHARED_LIBRARIES
        and SHARED_LIBRARIES[distribution][0]
        and not {*BUNDLED.get(distribution, ())} & brought.all()[0]
    ]
    wanted = [each for each in installed if each[1].install.directory and _loaded(each[0], used, program)]
    failed, unsure = False, ""
    if installed and program.graph.entry is None:
        unsure = f"whether {installed[0][0]} is loaded: what is started is not a file of the tree that is known"
    for distribution, brought in wanted:
        libraries, debian, alpine = SHARED_LIBRARIES[distribution]
        found = image.has_library(libraries)
        if found is None:
            unsure = unsure or f"whether the image has {libraries[0]}, which {distribution} loads, is not known"
        elif not found:
            failed = True
            yield _lacks(program, brought, distribution, libraries[0], alpine if image.libc == "musl" else debian)
    wheels = lacking_of_wheels(program, scope.tree)
    unsure = unsure or wheels.unsure
    for lacking in (*lacking_libraries(program), *lacking_browsers(program), *wheels.lacking):
        failed = True
        yield lacking.finding(LIBRARIES, scope, program)
    if failed:
        return
    if unsure:
        yield LIBRARIES.skip(unsure, name)
    else:
        yield LIBRARIES.passed(f"{len(wanted)} distributions that load libraries of the system find them", name)


def _loaded(distribution: str, used: set[str], program: LoadedProgram) -> bool:
    named = {
        each.name.partition(".")[0] for source in program.graph.modules.values() for each in source.effects.settings
    }
    return bool({*(modules(distribution) or ())} & (used | named))


def _lacks(program: LoadedProgram, brought: Brought, distribution: str, library: str, package: str) -> Finding:
    image = program.image
    at = [Evidence(image.dockerfile, brought.install.line)]
    twin = _BINARY_TWINS.get(distribution, "")
    other = f", or install {twin}, which brings its own" if twin else ""
    remedy = f"Install {package} in the final stage{other}."
    return LIBRARIES.fail(
        f"{distribution} loads {library}, which the image does not have", image.service.name, at, remedy=remedy
    )
