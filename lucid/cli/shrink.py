"""`lucid sim shrink`: make a failing seed small enough to read."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from lucid.cli.failure import INTERRUPTED, Failure
from lucid.interrupts import terminable

if TYPE_CHECKING:
    from harness.hunt.judge import SeedOutcome
    from harness.hunt.shrink import Shrinker, Shrunk
    from sim.scenario import Scenario

SECONDS = 120.0
PASSES = 10
"""Exit status where what was to fail does not."""


def register(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `lucid sim shrink`."""
    shrink = actions.add_parser(
        "shrink",
        help="make a failing seed small enough to read",
        description="Leave out nodes, faults, limits, load and time while the same invariant breaks; write the "
        "scenario that is left, and a page that tells who did what.",
        epilog="Exit status: 0 a smaller scenario is written, 10 the seed does not fail, 2 bad usage, 130 interrupted: "
        "the smallest so far is written.",
    )
    shrink.add_argument("seed", metavar="SEED", help="a seed of the swarm, or a scenario file with a calm")
    shrink.add_argument("--profile", default="all", metavar="NAME", help="the swarm that the seed is of (default: all)")
    shrink.add_argument("--record", type=Path, metavar="FILE", help="take the seed's scenario from a hunt's record")
    shrink.add_argument("--seconds", type=float, default=SECONDS, metavar="S", help="wall time at most (default: 120)")
    shrink.add_argument("--out", type=Path, default=Path("shrunk"), metavar="DIR", help="folder (default: shrunk)")
    shrink.add_argument("--json", action="store_true", help="print the result as JSON")
    shrink.set_defaults(run=run_shrink)


def run_shrink(options: argparse.Namespace) -> int:
    """`lucid sim shrink`."""
    from harness.hunt.shrink import Shrinker
    from harness.hunt.story import page
    from sim.scenariofile import dump

    scenario, outcome = failing(options.seed, options)
    live = sys.stderr.isatty()

    def tried(candidate: Scenario) -> None:
        if live:
            what = f"{len(candidate.fault)} faults, {candidate.nodes} nodes"
            print(f"\r{what:40}", end="", file=sys.stderr, flush=True)

    options.out.mkdir(parents=True, exist_ok=True)  # before what takes minutes, which would be lost without it
    shrinker = Shrinker(scenario, outcome, options.seconds, tried)
    shrunk, interrupted = _shrunk(shrinker)
    if live:
        print("\r", end="", file=sys.stderr)
    text, _ = page(shrunk.scenario)
    (options.out / "scenario.toml").write_text(dump(shrunk.scenario), "utf-8")
    (options.out / "page.md").write_text(text, "utf-8")
    _tell(options, scenario, shrunk)
    if interrupted:
        print("lucid: interrupted", file=sys.stderr)
        return INTERRUPTED
    return 0


def _shrunk(shrinker: Shrinker) -> tuple[Shrunk, bool]:
    """What is left, and whether Ctrl-C or SIGTERM ended it: the smallest so far is worth as much."""
    with terminable():
        try:
            return shrinker.shrink(), False
        except KeyboardInterrupt:
            return shrinker.found(), True


def _tell(options: argparse.Namespace, scenario: Scenario, shrunk: Shrunk) -> None:
    """What is left of a scenario."""
    result = {
        "verdict": str(shrunk.outcome.verdict),
        "invariant": shrunk.outcome.invariant,
        "reason": shrunk.outcome.reason,
        "faults": [len(scenario.fault), len(shrunk.scenario.fault)],
        "nodes": [scenario.nodes, shrunk.scenario.nodes],
        "runs": shrunk.runs,
        "seconds": round(shrunk.seconds, 3),
        "folder": str(options.out),
    }
    if options.json:
        print(json.dumps(result))
    else:
        print(
            f"{result['verdict']}: {shrunk.outcome.invariant}: {shrunk.outcome.reason}\n"
            f"faults {len(scenario.fault)} -> {len(shrunk.scenario.fault)}, "
            f"nodes {scenario.nodes} -> {shrunk.scenario.nodes}, {shrunk.runs} runs in {shrunk.seconds:.1f} s\n"
            f"{options.out / 'page.md'}\n{options.out / 'scenario.toml'}"
        )


def failing(name: str, options: argparse.Namespace) -> tuple[Scenario, SeedOutcome]:
    """The scenario that --profile and --record say is meant, and how it fails, to be looked at for --seconds."""
    from harness.hunt.judge import judge

    if not options.seconds > 0:
        raise Failure(f"--seconds must be above 0, is {options.seconds:g}")
    scenario = hunted(name, options.profile, options.record)
    outcome = judge(scenario)
    if not outcome.verdict.failed:
        raise Failure(f"{name} does not fail: {outcome.verdict}", PASSES)
    return scenario, outcome


def hunted(name: str, profile: str, record: Path | None) -> Scenario:
    """The scenario of a seed, from a record if one is named, or that of a file."""
    from harness.hunt.record import HuntRecordError, read, scenario_of
    from harness.hunt.swarm import PROFILES, draw
    from sim.scenarioerror import ScenarioError
    from sim.scenariofile import load

    if profile not in PROFILES:
        raise Failure(f"no profile {profile!r}; there are {', '.join(PROFILES)}")
    if not (name.isascii() and name.isdigit()):
        if not Path(name).exists():
            raise Failure(f"{name!r} is neither a seed, which is a whole number, nor a scenario file")
        try:
            scenario = load(name)
        except ScenarioError as error:
            raise Failure(str(error)) from None
        if not scenario.calm_ms:
            raise Failure(f'{name} has no calm: say from when on nothing is disturbed any more, such as calm = "30s"')
        return scenario
    if record is None:
        return draw(int(name), profile)
    try:
        found = [line for line in read(record) if line.seed == int(name)]
        if not found:
            raise Failure(f"{record} has no seed {name}")
        return scenario_of(found[0], profile)
    except HuntRecordError as error:
        raise Failure(str(error)) from None
