"""`--jobs` and `--scheduler`: where a command's many runs are made."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lucid.cli.failure import Failure

if TYPE_CHECKING:
    from harness.workers import Workers


def add_workers(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    where = parser.add_mutually_exclusive_group()
    # No default of its own: argparse would take as many as that for not given, and let --scheduler stand beside it.
    where.add_argument("--jobs", type=_jobs, metavar="J", help="processes (default: cores)")
    where.add_argument(
        "--scheduler", metavar="ADDRESS",
        help="run on the workers of a Dask cluster, by its scheduler's address, such as tcp://10.0.0.5:8786",
    )  # fmt: skip


@contextmanager
def chosen_workers(options: argparse.Namespace) -> Iterator[Workers]:
    """Where the options say that runs are made, for as long as the block lasts."""
    if options.scheduler is None:
        yield options.jobs or os.cpu_count() or 1
        return
    from harness.cluster import Cluster, ClusterError

    try:
        cluster = Cluster(options.scheduler)
    except ClusterError as error:
        raise Failure(str(error)) from None
    try:
        yield cluster
    finally:
        cluster.close()


def said(workers: Workers) -> str:
    """Where runs are made, in words."""
    return f"{workers} processes" if isinstance(workers, int) else f"{workers.jobs} workers of {workers.address}"


def _jobs(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of 1 or more")
    return number
