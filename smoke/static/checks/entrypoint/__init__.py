"""`entrypoint.*`: what the container starts exists, can be imported, finds what it opens, and serves where expected."""

from __future__ import annotations

from collections.abc import Iterator

from smoke.finding import Evidence, Finding, excerpt
from smoke.static.checks.entrypoint.app import judge_app
from smoke.static.checks.entrypoint.existence import EXISTS, judge_existence
from smoke.static.checks.entrypoint.imports import IMPORTS, judge_imports
from smoke.static.checks.entrypoint.port import APP, expected_ports, unreachable
from smoke.static.model.image import Image
from smoke.static.model.servers.served import LOOPBACK
from smoke.static.scope import Scope

CHECKS = (EXISTS, IMPORTS, APP)
_TESTS = frozenset({"unittest", "pytest"})


def run(scope: Scope) -> Iterator[Finding]:
    """See `Scope`."""
    for image in scope.images:
        yield from _image(scope, image)


def _image(scope: Scope, image: Image) -> Iterator[Finding]:
    name, start = image.service.name, image.start
    if image.unstarted:
        for check in CHECKS:
            yield check.skip(image.unstarted, name)
        return
    program = scope.programs.of(image)
    graph = program.graph
    yield judge_existence(program)
    if start.module in _TESTS and image.launch is not None and image.launch.published and not image.launch.by_hand:
        where = [Evidence(start.file or image.dockerfile, start.line, excerpt(" ".join(start.words)))]
        message = f"it runs {start.module}, which tests and ends, and port {min(image.launch.published)} is published"
        yield APP.fail(message, name, where, remedy="Name the target of the stage that serves.")
        return
    if graph.entry is None:
        for check in (IMPORTS, APP):
            yield check.skip("what is started is not a file of the tree", name)
        if start.host in LOOPBACK and expected_ports(image)[1]:
            where = [Evidence(start.file or image.dockerfile, start.line, excerpt(" ".join(start.words)))]
            yield unreachable(start.host, start.server or start.module, name, where)
        return
    yield from judge_imports(scope, image, graph)
    yield from judge_app(scope, program, graph.entry)
