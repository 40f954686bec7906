"""`lucid data`: what a node's data chain holds, and the list of its actions."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from lucid.cli.datacare import register_care, register_prune
from lucid.cli.datachain import CONFIG_HELP, FAULTS, LOST, chunks_of, data_chain, plain, session_id
from lucid.cli.datascrub import register_scrub, tell_scrub

if TYPE_CHECKING:
    from lucid.api.answers import ReplicationStatus

STATUSES = ("pending", "stored", "verified", "replicated", *FAULTS)


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `lucid data`."""
    data = commands.add_parser("data", help="what a node's data chain holds, and whether it is sound")
    actions = data.add_subparsers(metavar="ACTION", required=True)
    exits = "Exit status: 0 all is sound, 20 chunks are missing or corrupted, 2 bad usage or no answer."
    status = actions.add_parser("status", help="how much is held, and what is wrong with it", epilog=exits)
    status.set_defaults(run=run_status)
    listing = actions.add_parser("ls", help="list chunks and their states", epilog=exits)
    listing.add_argument("--status", choices=STATUSES, help="only those")
    listing.add_argument("--session", type=session_id, metavar="SESSION", help="only those of a session")
    listing.set_defaults(run=run_ls)
    cared_for, scrub, pruned = register_care(actions, exits), register_scrub(actions, exits), register_prune(actions)
    for action in (status, listing, *cared_for, scrub, pruned):
        action.add_argument("--config", metavar="FILE", help=CONFIG_HELP)
        action.add_argument("--json", action="store_true", help="print JSON")


def run_status(options: argparse.Namespace) -> int:
    """`lucid data status`."""
    from lucid.client import calls

    with data_chain(options) as client:
        found = client.send(calls.data_status())
    if options.json:
        print(json.dumps(plain(found)))
    else:
        print(f"{found.chunks} chunks, {found.total_bytes} bytes; there is room for {found.room_bytes} more")
        print(f"{found.missing} missing, {found.corrupted} corrupted, {found.quarantined} files in quarantine")
        _tell_copies(found.replication)
        tell_scrub(found.scrub)
    return LOST if found.missing or found.corrupted else 0


def _tell_copies(copies: ReplicationStatus) -> None:
    if copies.copies == 0:
        print("copies: not known yet: the manager has not said which nodes there are")
        return
    if copies.copies == 1:
        print("copies: NONE. This chain has one node: what its disk loses is lost")
        return
    if copies.weight:
        share = f"{100 * copies.weight / copies.total_weight:.1f} %"
        print(f"placement: this node weighs {copies.weight} of {copies.total_weight} in all ({share})")
        print(f"it declares {copies.tickets} tickets, which count as far as it proves its share")
    lacking = f", for {copies.lacking_s} s" if copies.lacking else ""
    print(f"copies: {copies.copies} of each chunk on {copies.nodes} nodes, {copies.connected} others connected")
    print(f"{copies.lacking} chunks lack one{lacking}; {copies.pending} wait to be fetched here")
    print(f"since its start it fetched {copies.fetched} and repaired {copies.repaired}")


def run_ls(options: argparse.Namespace) -> int:
    """`lucid data ls`."""
    with data_chain(options) as client:
        found = list(chunks_of(client, options.status or "", options.session or ""))
    if options.json:
        print(json.dumps({"chunks": [plain(each) for each in found]}))
    else:
        for each in found:
            print(f"{each.id}  {each.size:>8}  {each.status:10}  {each.references} references")
    return LOST if any(each.status in FAULTS for each in found) else 0
