"""`dependencies.*`: what is imported is installed, where Python looks, and for the Python and processor that run it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from smoke.check import Check
from smoke.finding import Evidence, Finding, Severity, excerpt
from smoke.static.checks.asked import lacking_libraries, lacking_metadata
from smoke.static.checks.carried import lacking_of_wheels
from smoke.static.model.filesystem import Cause
from smoke.static.model.image import Image
from smoke.static.python.distributions import BUNDLED, SHARED_LIBRARIES, bringers, compiled, modules, on_arm64, part_of
from smoke.static.python.effects import Extra
from smoke.static.python.graph import Outside
from smoke.static.python.importer import version_of
from smoke.static.python.installed import Answer, Brought, Presence, machine_of, misfits
from smoke.static.python.program import Program
from smoke.static.python.removed import UNLOADABLE, Removal, has_it, mismatched, removed
from smoke.static.python.standard import has_module
from smoke.static.scope import Scope

DECLARED = Check(
    "dependencies.declared",
    Severity.CRITICAL,
    "every third-party import is installed in this image, where its user's Python looks",
    "Python ends with a ModuleNotFoundError as the service is loaded.",
    "Add the distribution to the requirement file that this image installs.",
)
FITS = Check(
    "dependencies.fits",
    Severity.CRITICAL,
    "what is installed is made for this image's Python, C library and processor",
    "Python ends with an ImportError: the compiled part of a distribution does not load.",
    "Install it in a stage of the same Python, C library and platform as the final one.",
)
LIBRARIES = Check(
    "dependencies.libraries",
    Severity.CRITICAL,
    "the shared libraries that installed distributions load are in the image",
    "Python ends with an ImportError: cannot open shared object file.",
    "Install the library's package in the final stage, or a distribution that brings it along.",
)
ARM64 = Check(
    "dependencies.arm64",
    Severity.CRITICAL,
    "every requirement can be had for arm64",
    "The build has to compile it, without a compiler, or installs what does not load.",
    "Choose a version with an aarch64 or pure wheel, or another distribution.",
)
CHECKS = (DECLARED, FITS, LIBRARIES, ARM64)
_WITH = {
    "fastapi.testclient": ("httpx",),
    "starlette.testclient": ("httpx",),
    "starlette.middleware.sessions": ("itsdangerous",),
    "fastapi.templating": ("jinja2",),
    "starlette.templating": ("jinja2",),
    "uvicorn.workers": ("gunicorn",),
    "django.contrib.postgres": ("psycopg2", "psycopg"),
    "apscheduler.jobstores.sqlalchemy": ("sqlalchemy",),
    "apscheduler.jobstores.redis": ("redis",),
    "dramatiq.brokers.redis": ("redis",),
    "dramatiq.brokers.rabbitmq": ("pika",),
    "storages.backends.s3boto3": ("boto3",),
    "storages.backends.s3": ("boto3",),
    "gunicorn.workers.ggevent": ("gevent",),
    "strawberry.fastapi": ("fastapi",),
}
"""Modules of frameworks that import what the framework itself does not bring: one of these."""

_ENGINES = {
    "django.db.backends.postgresql": ("psycopg2", "psycopg"),
    "django.contrib.gis.db.backends.postgis": ("psycopg2", "psycopg"),
    "django.db.backends.mysql": ("MySQLdb", "pymysql"),
    "django.db.backends.oracle": ("cx_Oracle", "oracledb"),
}
"""Database engines of Django with the drivers of which they need one."""
_BINARY_TWINS = {"psycopg2": "psycopg2-binary", "opencv-python": "opencv-python-headless"}


def run(scope: Scope) -> Iterator[Finding]:
    """See `Scope`."""
    for image in scope.images:
        name = image.service.name
        if image.broken:
            for check in CHECKS:
                yield check.skip(f"the Dockerfile cannot be followed: {image.broken}", name)
            continue
        program = scope.programs.of(image)
        if image.start.module or image.start.script or image.start.needs:
            yield from _declared(scope, program)
        else:
            reason = image.start.doubt or image.start.trouble
            yield DECLARED.skip(f"what is started is not known: {reason}", name)
        yield from _fits(program)
        yield from _libraries(scope, program)
        yield from _arm64(program)


def _declared(scope: Scope, program: Program) -> Iterator[Finding]:  # noqa: PLR0912 - a case an outcome
    image, graph = program.image, program.graph
    name = image.service.name
    failed = False
    for trouble in program.installed.troubles:
        failed = True
        yield DECLARED.fail(trouble.message, name, [Evidence(trouble.path, trouble.line)])
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
            continue
        finding = _one(scope, program, outside, answer)
        if finding is not None:
            failed = True
            yield finding
    for directory, imports in hidden.items():
        failed = True
        yield _unseen(program, directory, imports)
    for extra, path in (
        (extra, path)
        for path, source in graph.modules.items()
        if path not in graph.later
        for extra in source.effects.extras
    ):
        finding = _extra(scope, program, extra, path)
        if finding is not None:
            failed = True
            yield finding
    for lacking in lacking_metadata(program):
        failed = True
        at = _at(scope, lacking.path, lacking.line)
        yield DECLARED.fail(lacking.message, name, at, remedy=lacking.remedy)
    for finding in (*_companions(scope, program), *_moved(scope, program)):
        failed = True
        yield finding
    if failed:
        return
    if graph.entry is None:
        yield DECLARED.skip("what is started is not a file of the tree", name)
    elif graph.doubts:
        yield DECLARED.skip(f"not every import could be followed: {graph.doubts[0].message}", name)
    else:
        yield DECLARED.passed(f"{len({each.top for each in graph.outside})} third-party imports are installed", name)


def _wanted(program: Program) -> list[Outside]:
    """What the code imports, and what the command needs itself."""
    image = program.image
    needed = [
        Outside(each, image.dockerfile, image.start.line, False, False, "the command") for each in image.start.needs
    ]
    return [*needed, *program.graph.outside]


def _one(scope: Scope, program: Program, outside: Outside, answer: Answer) -> Finding | None:
    image = program.image
    name = image.service.name
    at = _at(scope, outside.source, outside.line)
    severity = Severity.WARNING if outside.lazy else None
    unsure = answer.presence in (Presence.UNKNOWN, Presence.ABSENT)
    if unsure and not outside.by and _of_another_case(program, outside.top):
        return DECLARED.fail(_message(program, outside), name, at, severity=severity)
    match answer.presence:
        case Presence.ASKED | Presence.HIDDEN:
            return None
        case Presence.BROUGHT:
            message = f"{outside.top} comes with {answer.by} only, and is not asked for by name"
            why = "It goes away when the other no longer needs it."
            return None if outside.by else DECLARED.fail(message, name, at, severity=Severity.INFO, why=why)
        case Presence.UNKNOWN:
            return DECLARED.skip(f"whether {outside.top} is installed: {answer.reason}", name, at)
    if doubt := _doubt(program, outside.top):
        return DECLARED.skip(f"whether {outside.top} is installed: {doubt}", name, at)
    return DECLARED.fail(_message(program, outside), name, at, severity=severity)


def _stood_in_for(scope: Scope, program: Program) -> bool:
    """Whether PyMySQL is told to stand in for MySQLdb."""
    return any(b"install_as_MySQLdb" in scope.tree.data(path) for path in program.graph.modules)


def _of_another_case(program: Program, top: str) -> bool:
    """Whether what an import means is a module of the tree in other letters: no distribution is known to bring it,
    and nothing but the base could have put it beside that."""
    doubts = (each for place in program.importer.own for each in program.image.files.every_doubt(f"{place}/{top}"))
    known = bool(bringers(top)) or has_module(top, None)
    return not known and bool(program.importer.other_case(top)) and all(each.cause is Cause.BASE for each in doubts)


def _message(program: Program, outside: Outside) -> str:
    version = version_of(program.image)
    if outside.by:
        return f"{outside.by} needs {outside.name}, and nothing that this image installs brings it"
    if has_module(outside.top, None) and version is not None:
        shown = f"Python {version[0]}.{version[1]}"
        return f"{outside.top} is imported: the standard library of {shown} does not have it, and nothing installs it"
    other = program.importer.other_case(outside.top)
    hint = f" ({other} has another name on Linux)" if other else ""
    return f"{outside.top} is imported, and nothing that this image installs brings it{hint}"


def _doubt(program: Program, top: str) -> str:
    """Why a module may be there although no installation brings it."""
    image = program.image
    if image.base is None:
        return f"whether the base {image.base_reference} has it is not known"
    if image.start.doubt:
        return image.start.doubt
    version = version_of(image)
    bundled = version is None or version < (3, 12)
    if bundled and top in ("setuptools", "pkg_resources", "distutils", "_distutils_hack"):
        return "setuptools comes with Python's images and environments up to 3.11"
    if top in ("pip", "wheel"):
        return "pip comes with Python's images"
    for directory in image.start.search:
        for reason in image.files.every_doubt(f"{directory}/{top}"):
            if reason.cause is Cause.DISTRIBUTIONS:
                continue
            if reason.cause is Cause.PACKAGES and version is not None and has_module(top, None):
                continue  # a package of the system brings no module of a newer standard library
            if reason.cause is Cause.BASE and directory.endswith("-packages") and image.base.python is not None:
                continue  # Python's images have no distributions but those that install others
            if reason.cause is Cause.BASE and any(directory.startswith(f"{place}/") for place in image.venvs):
                continue  # an environment that the build made holds what the build put there
            return reason
    return ""


def _unseen(program: Program, directory: str, imports: list[Outside]) -> Finding:
    """What is installed, but not where Python looks: one finding for all imports."""
    image = program.image
    line = next((each.line for each in image.installs if each.directory == directory), 0)
    names = ", ".join(sorted({each.top for each in imports}))
    where = [Evidence(image.dockerfile, line), *(Evidence(each.source, each.line) for each in imports[:5])]
    message = f"{names} is installed to {directory}, where the Python that is started does not look"
    remedy = "Start the Python of that environment, or install to a directory that PYTHONPATH names."
    return DECLARED.fail(message, image.service.name, where, remedy=remedy)


def _extra(scope: Scope, program: Program, extra: Extra, path: str) -> Finding | None:
    """A feature of a framework that needs a distribution which the framework itself does not bring."""
    if extra.checked and not _checks_django(program):
        return None
    answers = [program.installed.has(each) for each in (extra.module, extra.distribution.replace("-", "_"))]
    there = any(each.presence is not Presence.ABSENT for each in answers)
    if extra.alone:
        there = any(extra.distribution in each.all()[0] or each.doubts for each in program.installed.each)
    if there or _doubt(program, extra.module):
        return None
    at = _at(scope, path, extra.line)
    message = f"{extra.feature} needs {extra.distribution}, and nothing that this image installs brings it"
    return DECLARED.fail(message, program.image.service.name, at)


_CHECKING = frozenset({"check", "migrate", "runserver", "makemigrations", "createsuperuser", "test"})
"""Commands of Django that look at every model before they do anything."""


def _checks_django(program: Program) -> bool:
    """Whether the start, or what an entry script runs before it, makes Django's checks."""
    start = program.image.start
    ran = [words for words in start.ran if any(word.endswith("manage.py") for word in words[:2])]
    own = [start.arguments] if start.script.endswith("/manage.py") else []
    return any(_CHECKING & {*words[:3]} and "--skip-checks" not in words for words in (*ran, *own))


def _companions(scope: Scope, program: Program) -> Iterator[Finding]:
    """Parts of frameworks, and database engines, whose own needs the framework does not bring."""
    graph = program.graph
    wanted = [
        (each.source, each.line, each.name, needed)
        for each in graph.outside
        for prefix, needed in _WITH.items()
        if not each.caught and not each.lazy and (each.name == prefix or each.name.startswith(f"{prefix}."))
    ]
    wanted += [
        (path, named.line, named.name, _ENGINES[named.name])
        for path in graph.settings & graph.modules.keys()
        for named in graph.modules[path].effects.settings
        if named.by == "DATABASES" and named.name in _ENGINES
    ]
    for path, line, name, needed in sorted(set(wanted)):
        if any(program.installed.has(each).presence is not Presence.ABSENT for each in needed) or _doubt(
            program, needed[0]
        ):
            continue
        message = f"{name} needs {' or '.join(needed)}, and nothing that this image installs brings it"
        yield DECLARED.fail(message, program.image.service.name, _at(scope, path, line))


def _moved(scope: Scope, program: Program) -> Iterator[Finding]:
    """Names that the installed version of a distribution no longer has."""
    image, version = program.image, version_of(program.image)
    told = any(re.search(r"(?:^|\s)-c\s|--constraint|PIP_CONSTRAINT", each.text) for each in image.parsed.instructions)
    loaded = {each.top: each for each in program.graph.outside if not each.lazy and not each.caught}
    for pair in mismatched(program.installed, {*loaded}, version, bounded=told):
        at = _at(scope, loaded[pair.module].source, loaded[pair.module].line)
        message = f"this {pair.older} takes {pair.taken}, which {pair.newer} {pair.since} does not have"
        remedy = f"Ask for {pair.newer}<{pair.since}, or for a newer {pair.older}."
        yield DECLARED.fail(f"{message}: nothing holds {pair.newer} back", image.service.name, at, remedy=remedy)
    for top, outside in loaded.items():
        since, instead = UNLOADABLE.get(top, ((4, 0), ""))
        asked = any(top in brought.asked for brought in program.installed.each)
        if asked and version is not None and version >= since:
            message = f"{top} cannot be loaded since Python {since[0]}.{since[1]}: {instead}"
            yield DECLARED.fail(message, image.service.name, _at(scope, outside.source, outside.line))
    for path, source in program.graph.modules.items():
        mine = program.graph.entry_is_main and source is program.graph.entry
        for old in (each for effects in program.graph.effects(path) for each in effects.outdated):
            made = Removal(old.distribution, old.since, (3, 7), "", (), "")
            if path in program.graph.later or (old.main and not mine):
                continue
            if has_it(program.installed, made, bounded=told):
                message = f"{old.what} since version {old.since} of {old.distribution}"
                remedy = f"Write it for the newer version, or ask for {old.distribution}<{old.since}."
                yield DECLARED.fail(message, image.service.name, _at(scope, path, old.line), remedy=remedy)
        for each in (*source.imports, *source.attributes):
            if each.caught or each.lazy or each.instead or path in program.graph.later or (each.main and not mine):
                continue
            for removal, name in removed(program.installed, each, version, bounded=told):
                what = f"{removal.module} has no {name}" if name else f"there is no {removal.module}"
                hint = f": {removal.instead}" if removal.instead else ""
                message = f"{what} since version {removal.since} of {removal.distribution}{hint}"
                remedy = f"Write it for the newer version, or ask for {removal.distribution}<{removal.since}."
                yield DECLARED.fail(message, image.service.name, _at(scope, path, each.line), remedy=remedy)


def _at(scope: Scope, path: str, line: int) -> list[Evidence]:
    lines = scope.tree.text(path).split("\n")
    return [Evidence(path, line, excerpt(lines[line - 1] if 0 < line <= len(lines) else ""))]


# -- what it is made for --------------------------------------------------------------------------------------------


def _fits(program: Program) -> Iterator[Finding]:
    image = program.image
    name = image.service.name
    version, machine = version_of(image), machine_of(image)
    python = f"{version[0]}.{version[1]}" if version is not None else ""
    libc = image.libc
    used = {each.top for each in program.graph.outside if not each.caught}
    failed, unsure = False, ""
    looked = 0
    for brought in program.installed.each:
        if brought.install.visible is False or not brought.install.directory:
            continue
        looked += 1
        wrong = misfits(brought.install.made, python, libc, machine)
        if not wrong:
            continue
        at = [Evidence(image.dockerfile, brought.install.line)]
        names, closed = brought.all()
        heavy = [each for each in sorted(names) if compiled(each) and _used(each, used)]
        if heavy:
            failed = True
            yield FITS.fail(f"{heavy[0]} holds machine code: {wrong}", name, at)
        elif not closed or any(compiled(each) is not False for each in names):
            unsure = unsure or f"whether something compiled is installed is not known: {wrong}"
    if failed:
        return
    if unsure:
        yield FITS.skip(unsure, name)
    elif not looked:
        yield FITS.passed("nothing is installed that could not fit", name)
    elif not python:
        yield FITS.skip("the version of the image's Python is not known", name)
    else:
        yield FITS.passed(f"{looked} installations are made for what the image runs", name)


def _used(distribution: str, used: set[str]) -> bool:
    """Whether a distribution is loaded: imported by the code itself, or by what is so well known to load it."""
    loads = {
        "pydantic": ["pydantic-core"],
        "fastapi": ["pydantic-core"],
        "pandas": ["numpy"],
        "scipy": ["numpy"],
        "sklearn": ["numpy", "scipy"],
        "cryptography": ["cffi"],
        "nacl": ["cffi"],
        "aiohttp": ["multidict", "yarl", "frozenlist"],
        "quart": ["markupsafe"],
        "flask": [],
        "sqlalchemy": [],
        "matplotlib": ["numpy", "pillow"],
    }
    own = {*(modules(distribution) or ())} & used
    return bool(own) or any(distribution in names for top, names in loads.items() if top in used)


# -- shared libraries -------------------------------------------------------------------------------------------------


def _libraries(scope: Scope, program: Program) -> Iterator[Finding]:
    image = program.image
    name = image.service.name
    used = {each.top for each in program.graph.outside if not each.caught}
    wanted = [
        (distribution, brought)
        for brought in program.installed.each
        if brought.install.visible is not False and brought.install.directory
        for distribution in sorted(brought.asked)
        if distribution in SHARED_LIBRARIES
        and SHARED_LIBRARIES[distribution][0]
        and _loaded(distribution, used, program)
        and not {*BUNDLED.get(distribution, ())} & brought.all()[0]
    ]
    failed, unsure = False, ""
    for distribution, brought in wanted:
        libraries, debian, alpine = SHARED_LIBRARIES[distribution]
        found = _library(image, libraries)
        if found is None:
            unsure = unsure or f"whether the image has {libraries[0]}, which {distribution} loads, is not known"
        elif not found:
            failed = True
            yield _lacks(program, brought, distribution, libraries[0], alpine if image.libc == "musl" else debian)
    wheels = lacking_of_wheels(program, scope.tree)
    unsure = unsure or wheels.unsure
    for lacking in (*lacking_libraries(program), *wheels.lacking):
        failed = True
        yield LIBRARIES.fail(lacking.message, name, _at(scope, lacking.path, lacking.line), remedy=lacking.remedy)
    if failed:
        return
    if unsure:
        yield LIBRARIES.skip(unsure, name)
    else:
        yield LIBRARIES.passed(f"{len(wanted)} distributions that load libraries of the system find them", name)


def _loaded(distribution: str, used: set[str], program: Program) -> bool:
    named = {
        each.name.partition(".")[0] for source in program.graph.modules.values() for each in source.effects.settings
    }
    return bool({*(modules(distribution) or ())} & (used | named))


def _library(image: Image, libraries: tuple[str, ...]) -> bool | None:
    """Whether the image has one of some libraries; none when that cannot be told."""
    return image.has_library(libraries)


def _lacks(program: Program, brought: Brought, distribution: str, library: str, package: str) -> Finding:
    image = program.image
    at = [Evidence(image.dockerfile, brought.install.line)]
    twin = _BINARY_TWINS.get(distribution, "")
    other = f", or install {twin}, which brings its own" if twin else ""
    remedy = f"Install {package} in the final stage{other}."
    return LIBRARIES.fail(
        f"{distribution} loads {library}, which the image does not have", image.service.name, at, remedy=remedy
    )


def _arm64(program: Program) -> Iterator[Finding]:
    image, installed = program.image, program.installed
    name = image.service.name
    platform = image.platform or image.service.platform or ""
    if platform and "arm64" not in platform:
        yield ARM64.skip(f"it is built for {platform}", name)
        return
    names = {requirement.name: requirement for requirement in installed.requirements if not requirement.own}
    lacking = [each for each in sorted(names) if on_arm64(each) is False]
    for each in lacking:
        requirement = names[each]
        at = [Evidence(requirement.path, requirement.line, excerpt(requirement.text))]
        yield ARM64.fail(f"{each} has no wheel for aarch64", name, at)
    unknown = [each for each in sorted(names) if on_arm64(each) is None]
    if unknown:
        shown = ", ".join(unknown[:5]) + (f" and {len(unknown) - 5} more" if len(unknown) > 5 else "")
        yield ARM64.skip(f"whether these have wheels for aarch64 needs an index: {shown}", name)
    elif installed.doubts:
        yield ARM64.skip(installed.doubts[0], name)
    elif not lacking:
        yield ARM64.passed(f"{len(names)} requirements are pure or have aarch64 wheels", name)
