"""`lucid credits`: what each node's work counts for, and where its score comes from."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from lucid.cli.failure import Failure

if TYPE_CHECKING:
    from lucid.api.answers import Credits, MemberCredits

PPM = 1_000_000


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `lucid credits`."""
    credits = commands.add_parser(
        "credits",
        help="what each node's work counts for, and where its score comes from",
        description="Ask a node's engine for the work credits of all nodes, or show where one's score comes from: its "
        "votes on the chain and storage proofs, what it brought to others, its heartbeats, its missed views of this "
        "epoch, evidence against it. "
        "Leaders are ranked by these scores, pool by pool; recent leaders wait.",
        epilog="Exit status: 0 done, 2 bad usage, no such node or no answer.",
    )
    credits.add_argument("node", nargs="?", metavar="NODE", help="a node's name, or the beginning of its key")
    credits.add_argument("--config", metavar="FILE", help="settings: engine_url; LUCID_* variables win")
    credits.add_argument("--json", action="store_true", help="print JSON")
    credits.set_defaults(run=run_credits)


def run_credits(options: argparse.Namespace) -> int:
    """`lucid credits`."""
    from pathlib import Path

    import msgspec

    from lucid.client import calls
    from lucid.client.http import Client
    from lucid.services.process.config import load_config

    config = load_config(file=None if options.config is None else Path(options.config))
    with Client("", "", "", config.trust(), engine_url=config.engine_url) as client:
        found = client.send(calls.credits())
    if options.node is not None:
        found = msgspec.structs.replace(found, members=(_named(found, options.node),))
    if options.json:
        print(json.dumps(msgspec.to_builtins(found)))
    elif options.node is not None:
        _explain(found, found.members[0])
    else:
        _list(found)
    return 0


def _named(found: Credits, text: str) -> MemberCredits:
    """The member that a name, or the beginning of a key, means."""
    named = [each for each in found.members if each.name == text] or [
        each for each in found.members if each.node.startswith(text.lower())
    ]
    if not named:
        raise Failure(f"no node of the chain has the name {text!r}, or a key that begins with it")
    if len(named) > 1:
        raise Failure(f"{text!r} may be any of {', '.join(each.node[:16] for each in named)}: write more of the key")
    return named[0]


def _list(found: Credits) -> None:
    from lucid.chain.printable import printable

    print(f"epoch {found.epoch}, slot {found.slot}: work of the last {found.window_slots} slots")
    for each in sorted(found.members, key=lambda each: (-each.live_score, each.node)):
        marks = [
            *(["retired"] if each.retired else []),
            *(["under evidence"] if each.evidence_until > found.epoch else []),
        ]
        print(
            f"{printable(each.name):16}  {each.node[:16]}  score {each.live_score:>8}  {each.credits:>8} credits  "
            f"uptime {_percent(each.uptime_ppm)}  penalty {_percent(each.penalty_ppm)}  {', '.join(marks)}".rstrip()
        )


def _explain(found: Credits, one: MemberCredits) -> None:
    from lucid.chain.printable import printable

    pool = f", of the pool {printable(one.pool)}" if one.pool else ""
    print(f"{printable(one.name)} ({one.node}){pool}, in slot {found.slot} of epoch {found.epoch}")
    _print_work(found, one)
    print(f"  x uptime {_percent(one.uptime_ppm)}: heartbeats in {one.beacons} of {one.held} slots that hold a block")
    print(f"  x penalty {_percent(one.penalty_ppm)}: what missed views of this epoch leave")
    print(f"  = live score {one.live_score}, rounded down after each step")
    if one.evidence_until > found.epoch:
        what = "that it voted twice" if one.storage is None else "that it voted twice or proved falsely"
        print(f"  evidence {what} counts against it until epoch {one.evidence_until}: it does not lead")
    if one.retired:
        print("  it is retired: it neither votes nor leads")


def _print_work(found: Credits, one: MemberCredits) -> None:
    """What the credits are for: votes, and from rules 4 on storage proofs."""
    if one.storage is None:
        votes = f" for {one.credits // found.vote_credits} votes" if found.vote_credits else ""
        print(
            f"  {one.credits} credits{votes} on the chain, at {found.vote_credits} each, in {found.window_slots} slots"
        )
        return
    storage = one.storage
    print(
        f"  {one.credits} credits in {found.window_slots} slots, for votes on the chain, at {found.vote_credits} each, "
        "and storage proofs"
    )
    if storage.relayed:
        print(f"    of these {storage.relayed} for copies that it brought to others and these proved in this epoch")
    print(
        f"    of these {storage.credits} for storage proofs of this epoch so far: {storage.chunks} chunks, "
        f"{storage.total_bytes:,} bytes; it says that it holds of {storage.sessions} sessions"
    )


def _percent(ppm: int) -> str:
    return f"{ppm // 10_000}.{ppm % 10_000 // 100:02d} %"
