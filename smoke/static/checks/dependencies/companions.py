"""Distributions that parts of frameworks need, and that the framework itself does not bring."""

from __future__ import annotations

import re
from collections.abc import Iterator

from smoke.static.checks.dependencies.absence import Absence
from smoke.static.checks.dependencies.doubts import doubt_of
from smoke.static.python.distributions import bringers, modules
from smoke.static.python.distributions import needs as needs_of
from smoke.static.python.effects import Extra
from smoke.static.python.installed import Presence
from smoke.static.python.program import LoadedProgram

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


def lacking_extras(program: LoadedProgram) -> Iterator[Absence]:
    """Features of frameworks that need a distribution which the framework itself does not bring."""
    for path, source in program.graph.modules.items():
        for extra in source.effects.extras if path not in program.graph.later else ():
            if _lacks(program, extra):
                message = f"{extra.feature} needs {extra.distribution}, and nothing that this image installs brings it"
                yield Absence(path, extra.line, message)


def _lacks(program: LoadedProgram, extra: Extra) -> bool:
    if extra.checked and not _checks_django(program):
        return False
    answers = [program.installed.has(each) for each in (extra.module, extra.distribution.replace("-", "_"))]
    there = any(each.presence is not Presence.ABSENT for each in answers)
    if extra.alone:
        there = any(extra.distribution in each.all()[0] or each.doubts for each in program.installed.each)
    return not there and not doubt_of(program, extra.module)


_CHECKING = frozenset({"check", "migrate", "runserver", "makemigrations", "createsuperuser", "test"})
"""Commands of Django that look at every model before they do anything."""


def _checks_django(program: LoadedProgram) -> bool:
    """Whether the start, or what an entry script runs before it, makes Django's checks."""
    start = program.image.start
    ran = [words for words in start.ran if any(word.endswith("manage.py") for word in words[:2])]
    own = [start.arguments] if start.script.endswith("/manage.py") else []
    return any(_CHECKING & {*words[:3]} and "--skip-checks" not in words for words in (*ran, *own))


def lacking_needs(program: LoadedProgram) -> Iterator[Absence]:
    """Distributions that pip installed alone, or from wheels that it made of them alone, and that are imported without
    anything of what they need."""
    held = {name for each in program.installed.each for name in each.all()[0]}
    alone = {
        each.line for each in program.image.parsed.instructions if re.search(r"pip.*--no-(?:deps|index)", each.text)
    }
    if program.installed.doubts or not alone:
        return
    for outside in program.graph.outside:
        for each in program.installed.each:
            brought = next((name for name in bringers(outside.top) if name in each.asked), "")
            needs = (
                (needs_of(brought) or [])
                if brought and each.install.no_dependencies and not each.whole and each.install.line in alone
                else []
            )
            if len(needs) > 1 and not {*needs} & held and not outside.caught and not outside.lazy:
                message = f"{brought} needs {', '.join(needs[:3])}, and --no-deps leaves them out"
                yield Absence(outside.source, outside.line, message, "Leave --no-deps out, or list what it needs, too.")
                return


def _is_alone(program: LoadedProgram, name: str, needed: tuple[str, ...]) -> bool:
    """Whether all that may bring what a part of a framework needs is the framework itself, which does not."""
    framework = {*bringers(name.partition(".")[0])}
    answers = [program.installed.has(each).presence for each in needed]
    if program.installed.doubts or not framework or any(each is not Presence.UNKNOWN for each in answers):
        return False
    for each in program.installed.each:
        every, _ = each.all()
        own = {one for one, asked in each.asked.items() if asked.own}
        if any(needs_of(one) is None or modules(one) is None for one in every - framework - own):
            return False
        if any(each.asked[one].extras for one in framework & each.asked.keys()):
            return False
    return True


def lacking_companions(program: LoadedProgram) -> Iterator[Absence]:
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
        there = any(program.installed.has(each).presence is not Presence.ABSENT for each in needed)
        if (not there or _is_alone(program, name, needed)) and not doubt_of(program, needed[0]):
            message = f"{name} needs {' or '.join(needed)}, and nothing that this image installs brings it"
            yield Absence(path, line, message)
