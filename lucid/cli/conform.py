"""`lucid sim conform`: one scenario in the simulator and against real nodes, by the same invariants."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from lucid.cli.failure import Failure
from lucid.interrupts import terminable

if TYPE_CHECKING:
    from harness.proxied.conform import BothVerdicts

OTHERWISE = 10
"""Exit status when simulated and real nodes came to different verdicts."""
BROKEN = 20
"""Exit status when real nodes broke an invariant, or did not come back."""


def register(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `lucid sim conform`."""
    conform = actions.add_parser(
        "conform",
        help="run a scenario against real nodes too",
        description="Run a scenario that has a calm in the simulator, then against real nodes on this machine, whose "
        "connections a proxy delays, loses, cuts and resets as its faults say, by the same seed. Both are judged by "
        "the same invariants, the real nodes by their journals.",
        epilog="Exit status: 0 both passed, 10 they came to different verdicts, 20 the real nodes failed, 2 bad usage.",
    )
    conform.add_argument("scenario", metavar="SCENARIO", help="a scenario file with a calm")
    conform.add_argument("--out", type=Path, metavar="DIR", help="keep the real nodes' folders here, which is empty")
    conform.add_argument("--json", action="store_true", help="print the result as JSON")
    conform.set_defaults(run=run_conform)


def run_conform(options: argparse.Namespace) -> int:
    """`lucid sim conform`."""
    from harness.proxied.conform import RealError, conform
    from harness.proxied.linkfaults import ProxyError
    from lucid.chain.errors import LucidError
    from lucid.storage.journal import JournalError
    from sim.scenarioerror import ScenarioError
    from sim.scenariofile import load

    try:
        scenario = load(options.scenario)
        with TemporaryDirectory() as spare, terminable():
            folder = Path(spare) if options.out is None else options.out
            folder.mkdir(parents=True, exist_ok=True)
            found = conform(scenario, folder, lambda line: print(line, file=sys.stderr, flush=True))
    except (ScenarioError, ProxyError, RealError, JournalError, LucidError) as error:
        raise Failure(str(error)) from None
    print(json.dumps(_document(found)) if options.json else _text(found))
    if found.real.verdict.failed:
        return BROKEN
    return 0 if found.agree else OTHERWISE


def _document(found: BothVerdicts) -> dict[str, object]:
    simulated, real = found.simulated, found.real
    return {
        "simulated": {
            "verdict": simulated.verdict, "invariant": simulated.invariant, "reason": simulated.reason,
            "height": simulated.height, "at_ms": simulated.at_ms,
        },
        "real": real._asdict(),
        "agree": found.agree,
    }  # fmt: skip


def _text(found: BothVerdicts) -> str:
    simulated, real = found.simulated, found.real
    back = "" if real.back_ms is None else f", the first final block {real.back_ms / 1000:.1f} s after the calm began"
    return "\n".join(
        [
            f"simulated: {simulated.verdict}{_why(simulated.invariant, simulated.reason)}, height {simulated.height}",
            f"real:      {real.verdict}{_why(real.invariant, real.reason)}, heights "
            f"{' '.join(map(str, real.heights))}{back}",
            *[f"  {count:>7,}  {name}" for name, count in real.checks.items() if count],
        ]
    )


def _why(invariant: str, reason: str) -> str:
    return f" ({invariant}: {reason})" if invariant else ""
