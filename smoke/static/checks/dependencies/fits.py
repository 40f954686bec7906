"""`dependencies.fits`: what is installed is made for this image's Python, C library and processor."""

from __future__ import annotations

from collections.abc import Iterator

from smoke.check import Check
from smoke.finding import Evidence, Finding, Severity
from smoke.static.python.distributions import compiled, modules
from smoke.static.python.fitting import machine_of, misfits
from smoke.static.python.importer import version_of
from smoke.static.python.program import LoadedProgram

FITS = Check(
    "dependencies.fits",
    Severity.CRITICAL,
    "what is installed is made for this image's Python, C library and processor",
    "Python ends with an ImportError: the compiled part of a distribution does not load.",
    "Install it in a stage of the same Python, C library and platform as the final one.",
)


def judge_fits(program: LoadedProgram) -> Iterator[Finding]:
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
