"""Runs the live checks on a node of its own, and takes the node away again, whatever happens."""

from __future__ import annotations

import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from smoke.check import Check
from smoke.finding import Finding
from smoke.judgement import Judgement
from smoke.live import checks
from smoke.live.node import NAMES, LiveError, Node
from smoke.live.processes import ProcessNode
from smoke.live.standing import StandingNode

Say = Callable[[str], None]


def live(
    *,
    images: dict[str, str] | None,
    title: str,
    blocks: int = checks.BLOCKS,
    mongod: str | None = None,
    standing: Path | None = None,
    emulated: bool = False,
    strict: bool = False,
    say: Say = lambda text: None,
) -> Judgement:
    """Run all live checks: in containers of these images, by service, or as processes when there are none.

    `standing` names the client's settings of a node that runs already (`emulated`: slowly); what would hurt it is
    skipped. Raises `LiveError` when the node can't be run at all.
    """
    findings: list[Finding] = []
    program = _program(mongod)
    with TemporaryDirectory(prefix="lucid-live-") as folder, _terminated():
        (Path(folder) / "node").mkdir()
        with _node(Path(folder) / "node", images, standing, emulated) as node:
            run = checks.Run(node, blocks=blocks)
            say(f"{'trying' if node.standing else 'starting'} four {node.kind}")
            findings += checks.begin(run)
            steps: tuple[tuple[Check, Callable[[], Iterator[Finding]]], ...] = (
                (checks.HEALTH, lambda: checks.health(run)),
                (checks.API, lambda: checks.api(run)),
                (checks.INTEGRATION, lambda: checks.integration(run)),
                (checks.CADENCE, lambda: checks.cadence(run)),
                (checks.PHASE1, lambda: checks.phase1(run, program, Path(folder) / "mongo")),
                (checks.LIFECYCLE, lambda: checks.lifecycle(run)),
            )
            for check, step in steps:
                say(check.id)
                findings += checks.guarded(check, step)
    return Judgement(title=title, services=tuple(NAMES), findings=tuple(findings), strict=strict)


def _node(folder: Path, images: dict[str, str] | None, standing: Path | None, emulated: bool) -> Node:
    if standing is not None:
        return StandingNode(folder, standing, emulated)
    if images is None:
        return ProcessNode(folder)
    from smoke.live.containers import ContainerNode, connect  # noqa: PLC0415 - processes need no Docker SDK

    return ContainerNode(folder, connect(), images)


def _program(mongod: str | None) -> str | None:
    if mongod is not None and shutil.which(mongod) is None:
        raise LiveError(f"there is no program {mongod}")
    return shutil.which(mongod or "mongod")


@contextmanager
def _terminated() -> Iterator[None]:
    """SIGTERM ends the run as Ctrl-C does, so that the node is taken away then too."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
