"""`lucid sim` and the list of its actions."""

from __future__ import annotations

import argparse

from lucid.cli import (
    ablate,
    calibrate,
    compare,
    conform,
    diff,
    explore,
    export,
    hunt,
    saturate,
    scenarios,
    shrink,
    simrun,
    sweep,
    twins,
)


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `lucid sim` and its actions."""
    sim = commands.add_parser("sim", help="run simulated networks", description="Run simulated networks.")
    actions = sim.add_subparsers(metavar="ACTION", required=True)
    simrun.register(actions)
    scenarios.register(actions)
    sweep.register(actions)
    compare.register(actions)
    saturate.register(actions)
    calibrate.register(actions)
    conform.register(actions)
    hunt.register(actions)
    shrink.register(actions)
    diff.register(actions)
    ablate.register(actions)
    explore.register(actions)
    twins.register(actions)
    export.register(actions)
