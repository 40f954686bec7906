"""`startup.environment`: variables without which the code cannot be loaded are given."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from smoke.check import Check
from smoke.finding import Evidence, Finding, Severity, excerpt
from smoke.static.checks.evidence import at_source
from smoke.static.checks.loaded import runs
from smoke.static.checks.startup.celery_schedule import settings_without_scheduler
from smoke.static.checks.startup.django_commands import refused_commands
from smoke.static.checks.startup.files import FILES
from smoke.static.checks.startup.nltk_data import lacking_corpora
from smoke.static.checks.startup.number_variables import odd_numbers
from smoke.static.checks.startup.prepared import rootless_steps, wanting_steps
from smoke.static.checks.startup.unset import unset_variables
from smoke.static.model.image import Image
from smoke.static.python.effects import Demand
from smoke.static.python.graph import Graph
from smoke.static.python.program import LoadedProgram
from smoke.static.scope import Scope

ENVIRONMENT = Check(
    "startup.environment",
    Severity.CRITICAL,
    "variables without which the code cannot be loaded are given",
    "Python ends with a KeyError or a ValidationError before the service serves anything.",
    "Give it in the Compose file or by ENV, or read it with a default.",
)
_ALWAYS_GIVEN = frozenset(
    ["PATH", "HOME", "HOSTNAME", "PWD", "LANG", "TERM", "PYTHON_VERSION", "GPG_KEY", "SHLVL", "OLDPWD"]
)


def judge_environment(scope: Scope, program: LoadedProgram) -> Iterator[Finding]:
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
    givers = [
        path
        for path in graph.modules
        if any(
            each.gives_environment or (each.reads_dotenv and _may_have(scope, image, graph))
            for each in graph.effects(path)
        )
    ]
    failed = False
    skipped = ""
    for path, demand in demands:
        if (line := _exported(image, demand.name)) and not givers and image.launch is None:
            failed = True
            message = f"{demand.name} is demanded as the code is loaded: a RUN exports it, which ends with that RUN"
            at = [Evidence(image.dockerfile, line), *at_source(scope, path, demand.line)]
            yield ENVIRONMENT.fail(message, name, at, remedy=f"Write ENV {demand.name}=... instead of RUN export.")
            continue
        reason = f"{givers[0]} may put it into the environment" if givers else _elsewhere(image)
        if reason:
            skipped = skipped or f"{demand.name} is demanded by {path}: {reason}"
            continue
        failed = True
        message = f"{demand.name} is demanded as the code is loaded, and neither the image nor Compose gives it"
        yield ENVIRONMENT.fail(message, name, at_source(scope, path, demand.line))
    if not failed:
        yield ENVIRONMENT.skip(skipped, name)


def judge_script(image: Image) -> Iterator[Finding]:
    """Variables that an entry script demands."""
    start = image.start
    for each in start.demanded:
        if each not in image.environment and not _elsewhere(image):
            at = [Evidence(start.file or image.dockerfile, start.line, excerpt(" ".join(start.words)))]
            message = f"{each} is demanded by the entry script, and neither the image nor Compose gives it"
            yield ENVIRONMENT.fail(message, image.service.name, at)


def judge_unset(scope: Scope, image: Image) -> Iterator[Finding]:
    """Variables of the command that only a build argument sets."""
    at = [Evidence(image.start.file or image.dockerfile, image.start.line, excerpt(" ".join(image.start.words)))]
    for each in unset_variables(image, scope.tree):
        yield ENVIRONMENT.fail(each.message, image.service.name, at, severity=each.severity)


def judge_provision(scope: Scope, program: LoadedProgram) -> Iterator[Finding]:
    """What the code takes for granted, and is given otherwise."""
    for odd in odd_numbers(scope, program):
        at = at_source(scope, odd.path, odd.line)
        yield ENVIRONMENT.fail(odd.message, program.image.service.name, at, remedy=odd.remedy)
    for lacking in lacking_corpora(scope, program):
        yield lacking.finding(FILES, scope, program)


def judge_preparation(scope: Scope, program: LoadedProgram) -> Iterator[Finding]:
    """Variables that settings demand while the image is built, and settings that steps need."""
    image = program.image
    for line, path in rootless_steps(program):
        message = f"manage.py collectstatic needs STATIC_ROOT, which {path} does not set"
        yield FILES.fail(message, image.service.name, [Evidence(image.dockerfile, line), Evidence(path)])
    for refusal in refused_commands(program, scope.tree):
        at = at_source(scope, refusal.path, refusal.line) if refusal.line else [Evidence(refusal.path)]
        yield FILES.fail(refusal.message, image.service.name, at, remedy="Correct the command, or the settings.")
    if lacking := settings_without_scheduler(program, scope.tree):
        message = "celery's scheduler is of django_celery_beat, which INSTALLED_APPS does not name"
        at = [Evidence(lacking)]
        yield FILES.fail(message, image.service.name, at, remedy="Correct the command, or the settings.")
    for each in wanting_steps(program):
        message = (
            f"{each.variable} is demanded by {each.path}, which manage.py {each.command} loads: no one gives it then"
        )
        at = [Evidence(image.dockerfile, each.line), Evidence(each.path, each.demanded)]
        remedy = f"Write RUN {each.variable}=none python manage.py {each.command}, or read it with a default."
        yield ENVIRONMENT.fail(message, image.service.name, at, remedy=remedy)


def _may_have(scope: Scope, image: Image, graph: Graph) -> bool:
    """Whether there may be a .env where python-dotenv looks for it: beside a module, or in a directory above.

    Everyone makes their own, which the tree does not have: it may come with a directory that is copied."""
    ignored = scope.tree.text(posixpath.join(image.context or "", ".dockerignore"))
    left_out = re.search(r"(?m)^(?:\*\*/|/)?(?:\.env\*?|\.\*|\*)\s*$", ignored) is not None
    copied = [
        each for each in image.parsed.instructions if each.keyword in ("COPY", "ADD") and each.flag("from") is None
    ]
    words = [word for each in copied for word in each.words[:-1]]
    whole = any(word.endswith(("/", ".", "*")) or scope.tree.is_directory(posixpath.normpath(word)) for word in words)
    if (whole and not left_out) or any(".env" in word for word in words):
        return True
    directories = {image.start.workdir or image.workdir, *(posixpath.dirname(each) for each in graph.places.values())}
    while directories:
        if any(
            image.files.find(posixpath.join(each, ".env")) is not None
            or image.files.doubt(posixpath.join(each, ".env"))
            for each in directories
            if each != "/"
        ):
            return True
        directories = {posixpath.dirname(each) for each in directories} - directories
    return False


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
