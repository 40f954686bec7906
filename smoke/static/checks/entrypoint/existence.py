"""`entrypoint.exists`: the module or script that is started is in the image."""

from __future__ import annotations

from smoke.check import Check
from smoke.finding import Evidence, Finding, Severity, excerpt
from smoke.static.model.doubt import DoubtCause
from smoke.static.model.image import Image
from smoke.static.python import standard
from smoke.static.python.distributions import bringers, modules, normalized
from smoke.static.python.importer import Meaning
from smoke.static.python.installed import Presence
from smoke.static.python.program import LoadedProgram
from smoke.static.python.source import Source

EXISTS = Check(
    "entrypoint.exists",
    Severity.CRITICAL,
    "the module or script that is started is in the image",
    "Python ends at once: there is no such module or file.",
    "Copy it into the image, under a directory that is on the path, or correct the command.",
)


def judge_existence(program: LoadedProgram) -> Finding:  # noqa: PLR0911 - a case an outcome
    image, importer, graph = program.image, program.importer, program.graph
    name, start = image.service.name, image.start
    where = [Evidence(start.file or image.dockerfile, start.line, excerpt(" ".join(start.words)))]
    what = f"module {start.module}" if start.module else start.script
    if graph.entry is not None:
        wrong = _not_as_told(image, graph.entry)
        return EXISTS.fail(wrong, name, where) if wrong else EXISTS.passed(f"{what} is {graph.entry.path}", name, where)
    if start.script:
        doubt = image.files.doubt(start.script)
        if image.files.find(start.script) is not None or doubt:
            return EXISTS.skip(doubt or f"{start.script} is not from the tree", name, where)
        return EXISTS.fail(f"there is no {start.script} in the image", name, where)
    found = importer.find(start.module)
    if found.kind is Meaning.STANDARD and (other := standard.meant(start.module)):
        message = f"the standard library has no {start.module}: {other} is meant, it seems"
        return EXISTS.fail(message, name, where, remedy=f"Write {other}.")
    if found.kind in (Meaning.DOUBT, Meaning.STANDARD, Meaning.BINARY):
        return EXISTS.skip(found.reason or f"{start.module} is not a file of the tree", name, where)
    if found.kind in (Meaning.NAMESPACE, Meaning.PACKAGE) and not start.server:
        return EXISTS.fail(f"{start.module} is a package without __main__.py: it cannot be started", name, where)
    if found.kind is Meaning.OUTSIDE:
        return _not_of_the_tree(program, where)
    hint = ""
    if start.module.endswith(".py"):
        hint = f" (-m takes a module's name, without .py: {start.module.removesuffix('.py')})"
    return EXISTS.fail(f"there is no module {start.module}: {found.reason}{hint}", name, where)


def _not_of_the_tree(program: LoadedProgram, where: list[Evidence]) -> Finding:
    """A module that no directory on the path has: installed, in doubt, or missing."""
    image, importer = program.image, program.importer
    name, start = image.service.name, image.start
    answer = program.installed.has(start.module)
    if gone := _source_gone(program, start.module.partition(".")[0]):
        return EXISTS.fail(gone, name, where, remedy="Install it without -e (--no-editable), or copy its sources too.")
    if answer.presence in (Presence.ASKED, Presence.BROUGHT):
        return EXISTS.skip(f"{start.module} is of {answer.by}, which is installed: it is not looked into", name, where)
    if answer.presence is Presence.UNKNOWN and not _tree_has(program, start.module) and not _of_no_one(program):
        return EXISTS.skip(f"whether {start.module} is there: {answer.reason}", name, where)
    if doubt := _doubt(program, start.module, elsewhere=_tree_has(program, start.module)):
        return EXISTS.skip(f"whether {start.module} is there: {doubt}", name, where)
    places = f" in {', '.join(importer.own)}" if importer.own else ""
    other = importer.other_case(start.module.partition(".")[0])
    hint = f" ({other} has another name on Linux)" if other else ""
    if answer.presence is Presence.HIDDEN:
        hint = f": it is installed to {answer.reason}, where the Python that is started does not look"
    return EXISTS.fail(f"there is no module {start.module}{places}, and nothing installs it{hint}", name, where)


def _of_no_one(program: LoadedProgram) -> bool:
    """Whether no distribution can bring the module that a server is to load: all are known, and none has that name."""
    top = program.image.start.module.partition(".")[0]
    asked = [name for each in program.installed.each for name in each.asked]
    return (
        bool(program.image.start.server)
        and not bringers(top)
        and not program.installed.doubts
        and all(modules(name) is not None and normalized(name) != normalized(top) for name in asked)
    )


def _source_gone(program: LoadedProgram, top: str) -> str:
    """Why an editable installation leads nowhere: its sources stayed in another stage."""
    files = program.image.files
    for each in program.installed.each:
        path = f"{each.install.directory}/{top}"
        entry = files.entries.get(path)
        linked = top in each.modules and entry is not None and entry.kind == "link"
        if linked and entry is not None and files.find(path) is None and not files.doubt(entry.target):
            return f"{top} is installed as a link to {entry.target}, which the image does not have"
    return ""


def _tree_has(program: LoadedProgram, module: str) -> bool:
    """Whether the image has a module of that name, in a directory where Python does not look."""
    ends = (f"/{module.replace('.', '/')}.py", f"/{module.replace('.', '/')}/__init__.py")
    return any(path.endswith(ends) for path in program.image.files.entries)


def _doubt(program: LoadedProgram, module: str, *, elsewhere: bool) -> str:
    """Why a module may be where Python looks; a base does not have one that the tree has `elsewhere`."""
    image = program.image
    top = module.partition(".")[0]
    for directory in image.start.search:
        for reason in image.files.every_doubt(f"{directory}/{top}"):
            if directory.endswith("-packages") and image.base is not None and reason.cause in ("base", "distributions"):
                continue
            if elsewhere and image.base is not None and reason.cause is DoubtCause.BASE:
                continue
            return reason
    return "" if image.start.search else "where Python looks is not known"


def _not_as_told(image: Image, entry: Source) -> str:
    service = image.service
    if service.module is not None and image.start.module and service.module != image.start.module:
        return f"it starts {image.start.module}, and the manifest says {service.module}"
    if service.script is not None and entry.path != service.script:
        return f"it starts {entry.path}, and the manifest says {service.script}"
    return ""
