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
from smoke.live.dependencies import Consul, Dependency, Mongod, Redis
from smoke.live.failure import LiveError
from smoke.live.node import NAMES, Needs, Node, nothing
from smoke.live.outages import DISK, DISK_MB, PHASE1, depend, fill_disk
from smoke.live.processes import ProcessNode
from smoke.live.standing import StandingNode

Say = Callable[[str], None]
Steps = tuple[tuple[Check, Callable[[], Iterator[Finding]]], ...]


def live(
    *,
    images: dict[str, str] | None,
    title: str,
    blocks: int = checks.BLOCKS,
    mongod: str | None = None,
    redis: str | None = None,
    consul: str | None = None,
    standing: Path | None = None,
    emulated: bool = False,
    strict: bool = False,
    say: Say = lambda text: None,
) -> Judgement:
    """Run all live checks: in containers of these images, by service, or as processes when there are none.

    `standing` names the client's settings of a node that runs already (`emulated`: slowly); what would harm it is
    skipped. Raises `LiveError` when the node cannot be run at all.
    """
    findings: list[Finding] = []
    programs: dict[type[Dependency], str | None] = {
        Mongod: _program(mongod, "mongod"),
        Redis: _program(redis, "redis-server"),
        Consul: _program(consul, "consul"),
    }
    with TemporaryDirectory(prefix="lucid-live-") as folder, _terminated():
        (Path(folder) / "node").mkdir()
        with _node(Path(folder) / "node", images, standing, emulated) as node:
            run = checks.Run(node, blocks=blocks)
            say(f"{'trying' if node.standing else 'starting'} four {node.kind}")
            findings += checks.guarded(checks.HEALTH, lambda: checks.begin(run))
            steps: Steps = (
                (checks.HEALTH, lambda: checks.health(run)),
                (checks.API, lambda: checks.api(run)),
                (checks.INTEGRATION, lambda: checks.integration(run)),
                (checks.CADENCE, lambda: checks.cadence(run)),
                (checks.LIFECYCLE, lambda: checks.lifecycle(run)),
            )
            findings += _carry_out(steps, say) if run.started else ()
        # These have nodes of their own, one after the other: two at once would be slow under emulation.
        steps = (
            (PHASE1, lambda: _outages(run, images, programs, Path(folder) / "dependent")),
            (DISK, lambda: _full_disk(run, images, Path(folder) / "small")),
        )
        findings += _carry_out(steps, say) if run.started else ()
    return Judgement(title=title, services=tuple(NAMES), findings=tuple(findings), strict=strict)


def _node(folder: Path, images: dict[str, str] | None, standing: Path | None, emulated: bool) -> Node:
    if standing is not None:
        return StandingNode(folder, standing, emulated)
    return _own_node(folder, images, nothing)


def _carry_out(steps: Steps, say: Say) -> list[Finding]:
    found: list[Finding] = []
    for check, step in steps:
        say(check.id)
        found += checks.guarded(check, step)
    return found


def _outages(
    run: checks.Run, images: dict[str, str] | None, programs: dict[type[Dependency], str | None], folder: Path
) -> Iterator[Finding]:
    if run.node.standing:
        yield PHASE1.skip("what a node that is in use depends on is not taken away")
        return
    yield from depend(lambda where, needs: _own_node(where, images, needs), programs, folder, run.start_s)


def _full_disk(run: checks.Run, images: dict[str, str] | None, folder: Path) -> Iterator[Finding]:
    if run.node.standing or images is None:
        yield DISK.skip(f"{run.node.kind} have no disk of their own that could be filled")
        return
    folder.mkdir()
    with _own_node(folder, images, nothing, DISK_MB) as node:
        yield from fill_disk(node, run.start_s)


def _own_node(folder: Path, images: dict[str, str] | None, needs: Needs, disk_mb: int | None = None) -> Node:
    if images is None:
        return ProcessNode(folder, needs)
    from smoke.live.containers import ContainerNode, connect  # noqa: PLC0415 - processes need no Docker SDK

    return ContainerNode(folder, connect(local=True), images, needs, disk_mb)


def _program(named: str | None, usual: str) -> str | None:
    if named is not None and shutil.which(named) is None:
        raise LiveError(f"there is no program {named}")
    return shutil.which(named or usual)


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
