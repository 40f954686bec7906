"""`lucid node`: a node's services in one process."""

from __future__ import annotations

import argparse
from pathlib import Path

from lucid.interrupts import terminable


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `lucid node`."""
    node = commands.add_parser(
        "node",
        help="run a node's services in one process",
        description="Run a node's services in one process until Ctrl-C or SIGTERM. Each listens at the port of its URL "
        "(engine_url, anchoring_url, manager_url, data_url) in the settings.",
    )
    node.add_argument("--config", type=Path, metavar="FILE", help="TOML file of settings; LUCID_* variables win")
    node.set_defaults(run=run_node)


def run_node(options: argparse.Namespace) -> int:
    """`lucid node`."""
    from lucid.services.node import run
    from lucid.services.process.config import load_config
    from lucid.services.process.running import leave

    with terminable():  # from its start on
        run(load_config(file=options.config))
    leave()
