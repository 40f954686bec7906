"""How far a command is: bars on standard error, where somebody looks."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.driving import Tick
    from sim.scenario import Scenario


@contextmanager
def byte_bar(what: str, quiet: bool) -> Iterator[tuple[Callable[[int, int], None], Callable[[str], None]]]:
    """A bar on standard error; yields what to tell it about bytes, and about what goes on."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=quiet or not console.is_terminal) as bar:
        task = bar.add_task(what)
        yield (
            lambda done, total: bar.update(task, completed=done, total=total),
            lambda text: bar.update(task, description=text),
        )


@contextmanager
def count_bar(what: str, unit: str, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error; yields what to tell how many units are done, of how many (0: nobody knows).

    No bar where nobody looks, nor in an image, which holds nothing that draws one.
    """
    if quiet or not sys.stderr.isatty() or find_spec("rich") is None:
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TextColumn(unit), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total or None)


class RunBar:
    """A progress bar with simulated time, height, speed and the time left."""

    def __init__(self, scenario: Scenario) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

        self._duration_ms = scenario.duration_ms
        self._progress = Progress(
            TextColumn("{task.fields[at]}"),
            BarColumn(),
            TextColumn("height {task.fields[height]}  {task.fields[speed]} messages/s"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._progress.add_task("", total=self._duration_ms, at="0:00:00", height=0, speed="-")

    def __enter__(self) -> RunBar:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def __call__(self, tick: Tick) -> None:
        elapsed = self._progress.tasks[0].elapsed or 1e-9
        seconds = tick.at_ms // 1000
        self._progress.update(
            self._task,
            completed=tick.at_ms,
            at=f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}",
            height=tick.height,
            speed=f"{int(tick.deliveries / elapsed):,}",
        )


def run_bar(scenario: Scenario, wanted: bool) -> AbstractContextManager[Any]:
    """A bar of a simulated run, where one is wanted; yields what to tell each tick, None where none is."""
    return RunBar(scenario) if wanted else nullcontext()
