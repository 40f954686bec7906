"""The board that shows a hunt while it goes on."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from lucid.cli.hunttally import HuntTally

if TYPE_CHECKING:
    from harness.hunt.record import HuntLine, HuntRecord


class HuntBoard:
    """A live table of verdicts, or a line for each seed that failed where there is no terminal."""

    def __init__(self, live: bool, record: HuntRecord) -> None:
        self._record = record
        self._live: Any = None
        if live:
            from rich.console import Console
            from rich.live import Live

            self._live = Live(console=Console(stderr=True), transient=True, refresh_per_second=4)

    def __enter__(self) -> HuntBoard:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, line: HuntLine, tally: HuntTally) -> None:
        """One more seed is judged."""
        if self._live is not None:
            self._live.update(self._table(tally))
        elif line.verdict.failed:
            print(f"seed {line.seed}: {line.verdict}: {line.invariant}: {line.reason}", file=sys.stderr, flush=True)

    def _table(self, tally: HuntTally) -> Any:
        from rich.table import Table

        table = Table(title=f"{sum(tally.verdicts.values()):,} seeds, {tally.speed:.1f} a second", show_header=False)
        for verdict, count in sorted(tally.verdicts.items()):
            table.add_row(verdict, f"{count:,}")
        for line in self._record.failed[-8:]:
            table.add_row(f"seed {line.seed}", f"{line.verdict}: {line.invariant}: {line.reason}"[:90])
        return table
