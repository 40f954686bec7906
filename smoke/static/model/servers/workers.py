"""Workers that take tasks from a queue: celery, dramatiq, arq, taskiq, huey."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable

from smoke.static.model.servers.options import read_line
from smoke.static.model.servers.served import Served
from smoke.static.model.servers.situation import Situation

_SWITCHES_OF_CELERY = frozenset(
    [
        *["--beat", "-B", "--purge", "--without-gossip", "--without-mingle", "--without-heartbeat", "-E"],
        *["--task-events", "--quiet", "-q", "--version", "--help", "--skip-checks"],
    ]
)
"""Options without a value."""


def celery(arguments: list[str], situation: Situation) -> Served:
    line = read_line(arguments, _SWITCHES_OF_CELERY)
    found = Served(needs=["celery"])
    pool = line.last("-P", "--pool")
    if pool in ("gevent", "eventlet"):
        found.needs.append(str(pool))
    if "flower" in line.operands:
        found.needs.append("flower")
    scheduler = line.last("-S", "--scheduler") or ""
    if re.fullmatch(r"[\w.]+:?\w+", scheduler) and scheduler != "django" and not scheduler.startswith("celery."):
        found.needs += [re.split(r"[.:]", scheduler)[0]] if re.search(r"[.:]", scheduler) else []
    if scheduler == "django":
        found.needs.append("django_celery_beat")
    found.directory = line.last("--workdir") or ""
    first = arguments[0] if arguments else ""
    named = next((word for word in arguments if re.match(r"-A|--app\b|-b|--broker\b", word)), "")
    asked = situation.asked("celery")
    if first in ("worker", "beat") and named and asked and not re.search(r"[=<~]=?\s*[1-4]\b|<\s*5", asked):
        found.trouble = f"{named} stands behind {first}: since Celery 5 it goes before (celery -A APP {first})"
        return found
    target = line.last("-A", "--app") or situation.environment.get("CELERY_APP", "")
    if not target:
        found.doubt = "which app celery works for is not known"
        return found
    if not {"worker", "beat", "flower", "events", "multi"} & {*line.operands}:
        found.doubt = f"celery {' '.join(line.operands)} is not looked into".rstrip()
        return found
    match = re.fullmatch(r"([A-Za-z_][\w.]*)(?::([\w.]+))?", target)
    if match is None:
        found.doubt = f"which app {target!r} means is not followed"
        return found
    found.module, found.application = match[1], match[2] or "*"
    if "beat" in line.operands or {"--beat", "-B"} & line.values.keys():
        elsewhere = {"-S", "--scheduler"} & line.values.keys()
        found.writes += [] if elsewhere else [line.last("-s", "--schedule") or "celerybeat-schedule"]
    found.writes += [each for each in (line.last("-f", "--logfile"), line.last("--pidfile")) if each]
    found.writes = [posixpath.join(found.directory, each) for each in found.writes]
    return found


def worker_of(module: str) -> Callable[[list[str], Situation], Served]:
    """Workers whose first operand names the module."""

    def read(arguments: list[str], situation: Situation) -> Served:
        line = read_line(arguments, frozenset(["--watch", "--reload", "--use-gevent"]))
        operands = [each for each in line.operands if each not in ("worker", "run")]
        found = Served(needs=[module])
        if not operands or line.values:
            found.doubt = f"what {module} works for is not followed"
            return found
        name, _, attribute = operands[0].partition(":")
        if module in ("arq", "huey"):
            name, _, attribute = operands[0].rpartition(".")
        found.module, found.application = name, attribute or "*"
        return found

    return read


READERS = {"celery": celery, **{name: worker_of(name) for name in ("dramatiq", "arq", "taskiq", "huey")}}
"""Readers of their command lines, by the names that the catalog has for them."""
