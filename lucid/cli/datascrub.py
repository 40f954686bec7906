"""`lucid data scrub`: the scrubber of a node is started, paused, or looked at."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from lucid.cli.arguments import duration
from lucid.cli.datachain import LOST, data_chain, moment, plain
from lucid.cli.failure import Failure

if TYPE_CHECKING:
    from lucid.api.answers import ScrubStatus


def register_scrub(actions: argparse._SubParsersAction[argparse.ArgumentParser], exits: str) -> argparse.ArgumentParser:
    """What has chunks read again in the background."""
    scrub = actions.add_parser(
        "scrub",
        help="start, pause or look at the scrubber",
        description="The scrubber reads every chunk again within scrub_period_s. It begins by itself, a pause ends by "
        "itself, and both outlive a restart.",
        epilog=exits,
    )
    scrub.add_argument("action", choices=("start", "pause", "status"), help="what to do")
    scrub.add_argument(
        "--max-duration", type=duration, metavar="TIME", help="of the run, or the pause (a day), at most"
    )
    scrub.add_argument("--max-age", type=duration, metavar="TIME", help="start: only what was last read longer ago")
    scrub.set_defaults(run=run_scrub)
    return scrub


def run_scrub(options: argparse.Namespace) -> int:
    """`lucid data scrub`."""
    from lucid.client import calls

    if options.action == "status" and options.max_duration is not None:
        raise Failure("--max-duration goes with start or pause")
    if options.action != "start" and options.max_age is not None:
        raise Failure("--max-age goes with start")
    with data_chain(options) as client:
        if options.action != "status":
            client.send(calls.order_scrub(options.action, options.max_duration or 0, options.max_age or 0))
        found = client.send(calls.data_status())
    if options.json:
        print(json.dumps(plain(found.scrub)))
    else:
        tell_scrub(found.scrub)
    return LOST if found.missing or found.corrupted else 0


def tell_scrub(scrub: ScrubStatus) -> None:
    """Say how far the scrubber is."""
    paused = f" until {moment(scrub.paused_until_ms)}" if scrub.paused_until_ms else ""
    left = f", {scrub.run_left_percent} % of the run are left" if scrub.run_left_percent else ""
    print(f"scrub: {scrub.state}{paused}{left}; a period has {scrub.period_ms / 86_400_000:.1f} days")
    print(f"every chunk was read, or stored, after {moment(scrub.all_read_since_ms)}{' (late)' if scrub.late else ''}")
    print(
        f"so far it read {scrub.chunks_read} chunks, {scrub.bytes_read} bytes, and found {scrub.corrupted_found} "
        f"corrupted and {scrub.missing_found} missing"
    )
