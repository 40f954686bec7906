"""The images and services of nginx, each before every check."""

from __future__ import annotations

import re
from collections.abc import Iterator

from smoke.finding import Finding
from smoke.static.checks.nginx.certificates import judge_certificates
from smoke.static.checks.nginx.configurations import IMAGE, MAX_CONFIGURATION, configurations, copied
from smoke.static.checks.nginx.grammar import judge_grammar
from smoke.static.checks.nginx.passing import judge_passing
from smoke.static.checks.nginx.ports import judge_listening
from smoke.static.checks.nginx.upstreams import judge_upstreams, lookups_are_open
from smoke.static.checks.nginx.user import judge_user
from smoke.static.scope import Scope


def judge_nginx(scope: Scope) -> Iterator[Finding]:
    """What the checks say of every image of nginx, and of every service that runs one."""
    judged: set[str] = set()
    images = {(image.launch.file, image.launch.name): image for image in scope.images if image.launch is not None}
    for built in scope.images:
        yield from judge_grammar(built.service.name, scope.tree, copied(built), judged)
    for project in scope.plans.projects:
        for service in project.services.values():
            read = configurations(scope, service, images.get((service.file, service.name)))
            yield from judge_grammar(service.name, scope.tree, read, judged)
        if lookups_are_open(project):
            continue
        for service in project.services.values():
            image = images.get((service.file, service.name))
            targets = configurations(scope, service, image)
            texts = {each: re.sub(r"#[^\n]*", "", scope.tree.text(each)[:MAX_CONFIGURATION]) for each in targets}
            if texts:
                yield from judge_upstreams(scope, project, service, texts)
                yield from judge_listening(service, image, texts, targets)
                yield from judge_passing(project, service, texts, targets, images)
                yield from judge_certificates(service, image, texts)
    for built in scope.images:
        if built.base is not None and IMAGE.fullmatch(built.base_reference) and "nginx" in built.start.words:
            yield from judge_user(built)
