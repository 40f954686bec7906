"""Runs the live checks on a node of its own, and takes the node away again, whatever happens."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from smoke.finding import Finding
from smoke.judgment import Judgment
from smoke.live import checks
from smoke.live.node import Needs, Node, nothing
from smoke.live.processes import ProcessNode
from smoke.live.product import Product, Steps
from smoke.live.underway import Run

Say = Callable[[str], None]


def live(
    product: Product,
    *,
    title: str,
    containers: bool,
    standing: Callable[[Path], Node] | None = None,
    strict: bool = False,
    say: Say = lambda text: None,
) -> Judgment:
    """Run all live checks of a product, in containers or as processes.

    `standing` gives, for a folder, a node that runs already; what would harm it is for the product to skip. Raises
    `LiveError` when the node cannot be run at all.
    """
    findings: list[Finding] = []

    def make(folder: Path, needs: Needs = nothing, disk_mb: int | None = None) -> Node:
        if not containers:
            return ProcessNode(folder, product, needs)
        from smoke.live.containers import ContainerNode, connect  # noqa: PLC0415 - processes need no Docker SDK

        return ContainerNode(folder=folder, client=connect(local=True), product=product, needs=needs, disk_mb=disk_mb)

    def carry_out(steps: Steps) -> None:
        for check, step in steps:
            say(check.id)
            findings.extend(checks.guarded(check, step))

    with TemporaryDirectory(prefix="lucid-live-") as folder, _terminated():
        (Path(folder) / "node").mkdir()
        with standing(Path(folder) / "node") if standing else make(Path(folder) / "node") as node:
            run = Run(node, product)
            say(f"{'trying' if node.standing else 'starting'} {len(node.services)} {node.kind}")
            findings += checks.guarded(checks.HEALTH, lambda: checks.begin(run))
            if run.started:
                carry_out(product.steps(run))
        # These have nodes of their own, one after the other: two at once would be slow under emulation.
        if run.started:
            carry_out(product.further(run, make, Path(folder)))
    return Judgment(title=title, services=tuple(product.services), findings=tuple(findings), strict=strict)


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
