"""`startup.*`: what the code reaches for as it is loaded: files, variables, the directories that it is read from."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from smoke.check import Check
from smoke.finding import Evidence, Finding, Severity, excerpt
from smoke.static.checks.loaded import absolute, climbed, misread, runs, shown
from smoke.static.checks.localized import unlocalized
from smoke.static.checks.prepared import rootless_steps, wanting_steps
from smoke.static.model.filesystem import Cause, Entry
from smoke.static.model.image import Image
from smoke.static.python.effects import Demand, FileUse, Use
from smoke.static.python.paths import Place
from smoke.static.python.program import Program
from smoke.static.scope import Scope

FILES = Check(
    "startup.files",
    Severity.CRITICAL,
    "files that the code opens as it is loaded are there, and this user may open them",
    "Python ends with a FileNotFoundError or PermissionError before the service serves anything.",
    "Copy the file into the image, or give its directory to the user: COPY --chown, or RUN chown.",
)
ENVIRONMENT = Check(
    "startup.environment",
    Severity.CRITICAL,
    "variables without which the code cannot be loaded are given",
    "Python ends with a KeyError or a ValidationError before the service serves anything.",
    "Give it in the Compose file or by ENV, or read it with a default.",
)
REACH = Check(
    "startup.reach",
    Severity.CRITICAL,
    "the user can enter the directories that the code is loaded from",
    "Python ends with a PermissionError, or finds no module at all.",
    "Install to a directory that everyone may enter, such as /opt, and not below /root.",
)
CHECKS = (FILES, ENVIRONMENT, REACH)
_OF_ROOT = frozenset(
    [
        "/",
        "/var",
        "/var/log",
        "/var/lib",
        "/var/run",
        "/run",
        "/etc",
        "/usr",
        "/usr/local",
        "/usr/share",
        "/opt",
        "/srv",
        "/home",
        "/mnt",
        "/media",
        "/lib",
        "/bin",
        "/sbin",
        "/var/cache",
        "/var/spool",
    ]
)
"""Directories of every base that belong to root, who alone may write there."""
_BARE = frozenset(["/var/log", "/var/lib", "/var/cache", "/opt"])
_OF_BASES = frozenset(
    [
        *["apt", "apk", "debconf", "dbus", "dpkg", "fontconfig", "git", "ldconfig", "man", "misc", "pam", "private"],
        *["python", "shells.state", "systemd", "ucf", "udhcpd", "xml-core", "sgml-base", "subversion", "ghostscript"],
    ]
)
"""What the bare distributions have there."""
_ALWAYS_GIVEN = frozenset(
    ["PATH", "HOME", "HOSTNAME", "PWD", "LANG", "TERM", "PYTHON_VERSION", "GPG_KEY", "SHLVL", "OLDPWD"]
)


def run(scope: Scope) -> Iterator[Finding]:
    """See `Scope`."""
    for image in scope.images:
        name = image.service.name
        yield from _scripted(image)
        if image.unstarted:
            for check in CHECKS:
                yield check.skip(image.unstarted, name)
            continue
        program = scope.programs.of(image)
        if program.graph.entry is None:
            for check in (FILES, ENVIRONMENT):
                yield check.skip("what is started is not a file of the tree", name)
        else:
            yield from _files(scope, program)
            yield from _environment(scope, program)
            yield from _prepared(scope, program)
        yield from _reach(program)


# -- files ------------------------------------------------------------------------------------------------------------


def _files(scope: Scope, program: Program) -> Iterator[Finding]:
    image, graph = program.image, program.graph
    name = image.service.name
    failed, unsure, looked = False, "", 0
    makers = _makers(program)
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
            wrong, doubt = _opened(image, place, use)
            if use.use in (Use.WRITE, Use.MAKE) and not wrong:
                made.add(place)
            if wrong and image.files.find(place) is None and (maker := _maker(makers, path, place)):
                wrong, doubt = "", f"whether {place} is there: {maker} may make it"
            unsure = unsure or doubt
            if wrong:
                failed = True
                yield FILES.fail(wrong, name, [Evidence(path, use.line, shown(scope, path, use.line))])
    for finding in (*_written(scope, program), *_misread(scope, program), *_unlocalized(scope, program)):
        failed = True
        yield finding
    if failed:
        return
    if unsure:
        yield FILES.skip(unsure, name)
    else:
        yield FILES.passed(f"{looked} paths that are opened as the code is loaded are within reach", name)


_SCHEDULES = re.compile(rb"(?i)beat_schedule(?:r|_filename)|config_from_object")
"""What may put the schedule of Celery elsewhere."""


def _written(scope: Scope, program: Program) -> Iterator[Finding]:
    """Files that the command itself makes: logs, schedules."""
    image, start = program.image, program.image.start
    for each in start.writes:
        if each == "celerybeat-schedule" and any(
            _SCHEDULES.search(scope.tree.data(path)) for path in program.graph.modules
        ):
            continue
        place = posixpath.normpath(posixpath.join(start.workdir or image.workdir, each))
        wrong, _ = _opened(image, place, FileUse(0, Place(place), Use.WRITE))
        if wrong:
            at = [Evidence(start.file or image.dockerfile, start.line, excerpt(" ".join(start.words)))]
            shown = wrong.replace(" as the code is loaded", "")
            yield FILES.fail(f"{start.server}: {shown}", image.service.name, at)
    for each in start.written:
        use = Use.MAKE if each.endswith("/") else Use.WRITE
        wrong, _ = _opened(image, posixpath.normpath(each), FileUse(0, Place(each), use))
        if wrong:
            at = [Evidence(start.file or image.dockerfile, start.line, excerpt(" ".join(start.words)))]
            shown = wrong.replace(" as the code is loaded", "")
            yield FILES.fail(f"the entry script: {shown}", image.service.name, at)


def _misread(scope: Scope, program: Program) -> Iterator[Finding]:
    for each in (*climbed(scope, program), *misread(scope, program)):
        yield FILES.fail(each.message, program.image.service.name, each.at, remedy=each.remedy)


def _unlocalized(scope: Scope, program: Program) -> Iterator[Finding]:
    for each in unlocalized(program):
        at = [Evidence(each.path, each.line, shown(scope, each.path, each.line))]
        yield FILES.fail(each.message, program.image.service.name, at, remedy=each.remedy)


def _makers(program: Program) -> list[tuple[str, str | None, bool]]:
    """Which module may make which path (none: any) as the code is loaded, and whether only under conditions."""
    graph = program.graph
    found: list[tuple[str, str | None, bool]] = []
    for path in graph.modules:
        if path in graph.later:
            continue
        sure = [
            each.place for effects in graph.effects(path) for each in effects.files if each.use in (Use.WRITE, Use.MAKE)
        ]
        found += [(path, absolute(program, path, place) or None, False) for place in sure]
        perhaps = [
            absolute(program, path, place) if place else ""
            for effects in graph.effects(path)
            for place in effects.may_make
        ]
        found += [(path, each or None, True) for each in perhaps]
    return found


def _maker(makers: list[tuple[str, str | None, bool]], module: str, place: str) -> str:
    """A module that may have made a path: another one, whose turn may come first, or under some condition."""
    return next(
        (
            path
            for path, made, perhaps in makers
            if (perhaps or path != module)
            and (made is None or place == made or place.startswith(f"{made}/") or made.startswith(f"{place}/"))
        ),
        "",
    )


def _opened(  # noqa: PLR0911 - a case a use
    image: Image, place: str, use: FileUse
) -> tuple[str, str]:
    """What is wrong with a path, or why that cannot be told."""
    if place.startswith(("/dev/", "/proc/", "/sys/", "/tmp/")) or (_is_secret(place) and image.launch is None):
        return "", ""
    if _is_secret(place) and image.files.find(place) is None and not image.files.doubt(place):
        return f"{place} is opened as the code is loaded, and Compose grants the service no such secret", ""
    entry = image.files.find(place)
    if use.use in (Use.READ, Use.SERVE):
        what = "the directory" if use.use is Use.SERVE else ""
        if entry is not None:
            needed = 0o1 if entry.kind == "directory" else 0o4
            return (f"{place} is closed to the user {image.user}" if _closed(image, entry, needed) else ""), ""
        doubt = image.files.doubt(place)
        if doubt:
            return "", f"whether {place} is there: {doubt}"
        return f"{what} {place} is opened as the code is loaded, and it is not in the image".strip(), ""
    if _read_only(image, place) and (entry is None or use.use is Use.WRITE):
        return f"{place} is written as the code is loaded, and Compose makes the file system read-only", ""
    if entry is not None:
        if use.new and _of_the_build(image, place):
            return f"the directory {place} is made as the code is loaded, and it is in the image already", ""
        if use.use is Use.MAKE or entry.kind == "directory":
            return "", ""
        wrong = f"{place} is opened to be written, and the user {image.user} may not: it belongs to user {entry.user}"
        return (wrong if _closed(image, entry, 0o2) else ""), ""
    return _made(image, place, use)


def _of_the_build(image: Image, place: str) -> bool:
    """Whether a directory surely stands where the container starts: the build made it, and nothing covers it."""
    entry = image.files.entries.get(place)
    return entry is not None and entry.kind == "directory" and not image.files.doubt(place)


def _is_secret(place: str) -> bool:
    return place.startswith("/run/secrets/")


def _read_only(image: Image, place: str) -> bool:
    """Whether a path is surely of a file system that cannot be written to."""
    launch = image.launch
    if launch is None or not launch.read_only or any(each.keyword == "VOLUME" for each in image.parsed.instructions):
        return False
    return not any(place == each.target or place.startswith(f"{each.target.rstrip('/')}/") for each in launch.mounts)


def _made(image: Image, place: str, use: FileUse) -> tuple[str, str]:
    """A file or directory that is made: where the nearest directory that is there lets it."""
    above = posixpath.dirname(place)
    held = image.files.find(above)
    while held is None and above != "/":
        if above in _OF_ROOT:
            break
        doubt = image.files.doubt(above)
        if doubt and not _not_of_the_base(image, above):
            return "", f"whether {above} is there: {doubt}"
        if use.use is Use.WRITE:
            return f"{place} is opened to be written, and the directory {above} is not in the image", ""
        if use.alone:
            return f"{place} is made as the code is loaded, and the directory {above} is not in the image", ""
        above = posixpath.dirname(above)
        held = image.files.find(above)
    for doubt in image.files.every_doubt(place):
        if str(doubt.cause) in ("command", "mount", "unknown base", "copy"):
            return "", f"who may write to {above}: {doubt}"
    if held is None or held.mode is None:
        held = Entry("directory", user=0, mode=0o755) if above in _OF_ROOT else None
    if held is None or not _closed(image, held, 0o2):
        return "", ""
    owner = "root" if held.user == 0 else f"user {held.user}"
    return f"{place} is written as the code is loaded, and {above} belongs to {owner}, not to {image.user}", ""


def _not_of_the_base(image: Image, directory: str) -> bool:
    """Whether a directory is in doubt for the base alone, and a bare base has none of that name."""
    above, name = posixpath.split(directory)
    bare = (
        image.base is not None
        and image.base.lacks
        and re.search(r"(?:^|/)(?:python|debian|ubuntu|alpine)\b", image.base_reference)
    )
    only = all(each.cause is Cause.BASE for each in image.files.every_doubt(directory))
    return bool(bare) and only and above in _BARE and name not in _OF_BASES


def _closed(image: Image, entry: Entry, needed: int) -> bool:
    """Whether the image's user surely lacks a right (of the lowest three bits) to an entry."""
    if image.uid is None or image.uid == 0 or entry.user is None or entry.mode is None:
        return False
    if entry.user == image.uid:
        return not entry.mode & (needed << 6)
    # Its group may have the right, and may be the user's.
    return not entry.mode & (needed | needed << 3)


# -- environment ------------------------------------------------------------------------------------------------------


def _environment(scope: Scope, program: Program) -> Iterator[Finding]:
    image, graph = program.image, program.graph
    name = image.service.name
    demands = [
        (path, demand)
        for path, source in graph.modules.items()
        for effects in graph.effects(path)
        for demand in effects.demands
        if runs(program, source, demand.main) and not _given(image, demand)
    ]
    if not demands:
        yield ENVIRONMENT.passed("nothing is demanded of the environment that is not given", name)
        return
    givers = [path for path in graph.modules if any(each.gives_environment for each in graph.effects(path))]
    failed = False
    skipped = ""
    for path, demand in demands:
        if (line := _exported(image, demand.name)) and not givers and image.launch is None:
            failed = True
            message = f"{demand.name} is demanded as the code is loaded: a RUN exports it, which ends with that RUN"
            at = [Evidence(image.dockerfile, line), Evidence(path, demand.line, shown(scope, path, demand.line))]
            yield ENVIRONMENT.fail(message, name, at, remedy=f"Write ENV {demand.name}=... instead of RUN export.")
            continue
        reason = f"{givers[0]} may put it into the environment" if givers else _elsewhere(image)
        if reason:
            skipped = skipped or f"{demand.name} is demanded by {path}: {reason}"
            continue
        failed = True
        message = f"{demand.name} is demanded as the code is loaded, and neither the image nor Compose gives it"
        yield ENVIRONMENT.fail(message, name, [Evidence(path, demand.line, shown(scope, path, demand.line))])
    if not failed:
        yield ENVIRONMENT.skip(skipped, name)


def _scripted(image: Image) -> Iterator[Finding]:
    """Variables that an entry script demands."""
    start = image.start
    for each in start.demanded:
        if each not in image.environment and not _elsewhere(image):
            at = [Evidence(start.file or image.dockerfile, start.line, excerpt(" ".join(start.words)))]
            message = f"{each} is demanded by the entry script, and neither the image nor Compose gives it"
            yield ENVIRONMENT.fail(message, image.service.name, at)


def _prepared(scope: Scope, program: Program) -> Iterator[Finding]:
    """Variables that settings demand while the image is built, and settings that steps need."""
    image = program.image
    for line, path in rootless_steps(program):
        message = f"manage.py collectstatic needs STATIC_ROOT, which {path} does not set"
        yield FILES.fail(message, image.service.name, [Evidence(image.dockerfile, line), Evidence(path)])
    for each in wanting_steps(program):
        message = (
            f"{each.variable} is demanded by {each.path}, which manage.py {each.command} loads: no one gives it then"
        )
        at = [Evidence(image.dockerfile, each.line), Evidence(each.path, each.demanded)]
        remedy = f"Write RUN {each.variable}=none python manage.py {each.command}, or read it with a default."
        yield ENVIRONMENT.fail(message, image.service.name, at, remedy=remedy)


def _given(image: Image, demand: Demand) -> bool:
    names = {*image.environment} | _ALWAYS_GIVEN
    if demand.name in names or (demand.any_case and demand.name.upper() in {each.upper() for each in names}):
        return True
    if not demand.file:
        return False
    place = posixpath.join(image.start.workdir or image.workdir, demand.file)
    return demand.file == "?" or image.files.find(place) is not None or bool(image.files.doubt(place))


def _exported(image: Image, name: str) -> int:
    """The line of a RUN that exports a variable, for itself alone or for shells that no one starts; 0 if none does."""
    if any(re.fullmatch(r"-[a-z]*[li][a-z]*|--login", word) for word in image.start.words):
        return 0  # a login shell reads what such lines are written to
    stage = image.final
    while stage is not None:
        for each in stage.instructions:
            if each.keyword == "RUN" and re.search(rf"\bexport\s+{re.escape(name)}=", each.text):
                return each.line
        stage = image.stages.stages[stage.parent] if stage.parent is not None else None
    return 0


def _elsewhere(image: Image) -> str:
    """Who else may give a variable; empty when surely no one does."""
    if image.launch is None:
        return "whoever starts the container may give it"
    return image.launch.environment_doubt


# -- reach ------------------------------------------------------------------------------------------------------------


def _reach(program: Program) -> Iterator[Finding]:
    image = program.image
    name, start = image.service.name, image.start
    if image.uid is None:
        yield REACH.skip(f"the number of the user {image.user or '(none)'} is not known", name)
        return
    needed = [each.install.directory for each in program.installed.each if each.install.visible is not False]
    needed += [path for path in (start.script, start.program, *program.graph.places.values()) if path]
    closed = {wall: path for path in needed if path and (wall := _wall(image, path))}
    for wall, path in closed.items():
        line = next((each.line for each in image.installs if each.directory == path), start.line)
        message = f"{path} cannot be reached by the user {image.user}: {wall} is closed to all but its owner"
        yield REACH.fail(message, name, [Evidence(image.dockerfile, line)])
    if not closed:
        yield REACH.passed(f"the user {image.user or '0'} can enter every directory that is loaded from", name)


def _wall(image: Image, path: str) -> str:
    """The topmost directory above a path that the user may not enter; empty when there is none."""
    if image.uid == 0:
        return ""
    parts = posixpath.dirname(path).strip("/").split("/")
    for count in range(1, len(parts) + 1):
        above = "/" + "/".join(parts[:count])
        entry = image.files.entries.get(above)
        if entry is not None and entry.kind == "link":
            return ""
        if above == "/root" and (entry is None or entry.mode is None):
            entry = Entry("directory", user=0, mode=0o700)
        if any(
            above == each or above.startswith(f"{each}/")
            for each in (*image.start.search, image.workdir)
            if each != "/"
        ):
            return ""  # dockerfile.user tells of what is below the directories that are searched
        if entry is not None and _closed(image, entry, 0o1):
            return above
    return ""
