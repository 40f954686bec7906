"""`dockerfile.health`: the image's health check can run and asks the right port and path."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from smoke.check import Check
from smoke.finding import Finding, Severity
from smoke.static.checks import remedies
from smoke.static.checks.evidence import at_instruction, final_line
from smoke.static.checks.probe_code import lost_import
from smoke.static.checks.probes import health_programs, lost_path, ports_asked, unable
from smoke.static.model.image import Image
from smoke.static.regex import regex
from smoke.static.scope import Scope

HEALTH = Check(
    "dockerfile.health",
    Severity.CRITICAL,
    "a health check that can run, for the service's own port and path",
    "The container is reported unhealthy forever, and what waits for it never starts.",
    "Write HEALTHCHECK CMD with a program that is in the image.",
)
_NO_HEALTH_PATH = regex(r"https?://[^\s'\"/]+(?P<path>/[^\s'\"?)]*)?")


def judge_health(scope: Scope, image: Image) -> Iterator[Finding]:
    name, health = image.service.name, image.health
    if health is None or health.disabled:
        line = health.line if health else final_line(image)
        severity = Severity.WARNING if image.service.health is not None else Severity.INFO
        yield HEALTH.fail("there is no health check", name, at_instruction(image, line), severity=severity)
        return
    where = at_instruction(image, health.line)
    problems = list(_health_problems(image))
    if not problems and not image.unstarted:
        program = scope.programs.of(image)
        lost = lost_import(program, health.words, shell_form=health.shell_form)
        problems += filter(None, [lost or lost_path(program, " ".join(health.words))])
    for message in problems:
        yield HEALTH.fail(message, name, where, remedy=remedies.of_health(image))
    if problems:
        return
    doubts = [doubt for each in health_programs(health) if (doubt := image.surroundings().find(each).doubt)]
    if doubts:
        yield HEALTH.skip(f"whether it can run: {doubts[0]}", name, where)
    else:
        yield HEALTH.passed("the health check can run", name, where)


def _health_problems(image: Image) -> Iterator[str]:
    health = image.health
    assert health is not None
    if not health.words or not health.words[0]:
        yield "the health check runs nothing"
        return
    if health.shell_form and health.words[0].startswith("-"):
        yield f"{health.words[0].split()[0]} stands behind CMD: the shell takes it for the program to run"
        return
    yield from unable(image, health.words, shell_form=health.shell_form)
    text = " ".join(health.words)
    expected = image.service.port or (image.ports[0] if len(image.ports) == 1 else None) or _served(image)
    ports = ports_asked(text)
    if expected is not None and ports and expected not in ports:
        yield f"it asks port {min(ports)}, not {expected}"
    url = _NO_HEALTH_PATH.search(text)
    wanted = image.service.health
    if url is not None and wanted is not None and (url["path"] or "/").rstrip("/") != wanted.rstrip("/"):
        yield f"it asks {url['path'] or '/'}, not {wanted}"


def _served(image: Image) -> int | None:
    """The port that the command alone serves, where nothing is exposed; none when that cannot be told."""
    start = image.start
    alone = bool(start.words) and posixpath.basename(start.words[0]) == start.server
    return start.port if alone and not (image.ports or image.ports_doubt) else None
