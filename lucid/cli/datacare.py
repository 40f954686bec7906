"""`lucid data verify`, `repair` and `prune`: chunks are read now, fetched again, removed."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lucid.cli.datachain import FAULTS, LOST, chunk_id, chunks_of, data_chain, moment, plain, session_id
from lucid.cli.failure import Failure

if TYPE_CHECKING:
    from lucid.api.answers import Checked


def register_care(
    actions: argparse._SubParsersAction[argparse.ArgumentParser], exits: str
) -> tuple[argparse.ArgumentParser, ...]:
    """What reads chunks, and mends them."""
    verify = actions.add_parser(
        "verify",
        help="read chunks from their disk now",
        description="Have the node read chunks from its disk and compare them with their ids: those that are named, "
        "those of a session, or all.",
        epilog=exits,
    )
    verify.set_defaults(run=run_verify)
    repair = actions.add_parser(
        "repair",
        help="fetch what is missing or corrupted from other nodes now",
        description="Have the node read chunks again and fetch what is not sound from other nodes: chunks that are "
        "named, those of a session, or all that are known to be missing or corrupted. A node does this by itself too.",
        epilog=exits,
    )
    for action in (verify, repair):
        action.add_argument("chunks", nargs="*", type=chunk_id, metavar="CHUNK", help="ids of chunks")
        action.add_argument("--session", type=session_id, metavar="SESSION", help="the chunks of a session")
    repair.set_defaults(run=run_repair)
    return verify, repair


def register_prune(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """What removes chunks."""
    prune = actions.add_parser(
        "prune",
        help="remove what no session refers to any more",
        description="Remove the chunks that no session has referred to for a day. A node does this by itself every "
        "ten minutes.",
        epilog="Exit status: 0 done, 2 bad usage or no answer.",
    )
    prune.add_argument("--dry-run", action="store_true", help="remove nothing, say what would go")
    prune.set_defaults(run=run_prune)
    return prune


def run_verify(options: argparse.Namespace) -> int:
    """`lucid data verify`."""
    from lucid.client import calls

    check_named(options)
    with data_chain(options) as client:
        named = options.chunks or [each.id for each in chunks_of(client, "", options.session or "")]
        found = [client.send(calls.verify_chunk(each)) for each in named]
    return _tell_checked(found, options.json, key="verified", why="", sound="sound")


def run_repair(options: argparse.Namespace) -> int:
    """`lucid data repair`."""
    from lucid.client import calls

    check_named(options)
    with data_chain(options) as client:
        if options.chunks or options.session:
            named = options.chunks or [each.id for each in chunks_of(client, "", options.session)]
        else:
            named = [each.id for status in FAULTS for each in chunks_of(client, status, "")]
        found = [client.send(calls.repair_chunk(each)) for each in named]
    return _tell_checked(found, options.json, key="sound", why=", and no node in reach gave it back", sound="sound now")


def _tell_checked(found: Sequence[Checked], as_json: bool, key: str, why: str, sound: str) -> int:
    """Say what chunks were found to be, the sound ones as JSON under `key`; returns the exit status."""
    wrong = [each for each in found if each.status != "verified"]
    if as_json:
        print(json.dumps({key: len(found) - len(wrong), "wrong": [plain(each) for each in wrong]}))
    else:
        for each in wrong:
            print(f"{each.id} is {each.status}{why}")
        print(f"{len(found) - len(wrong)} of {len(found)} chunks are {sound}")
    return LOST if wrong else 0


def run_prune(options: argparse.Namespace) -> int:
    """`lucid data prune`."""
    from lucid.client import calls

    with data_chain(options) as client:
        found = client.send(calls.prune(options.dry_run))
    if options.json:
        print(json.dumps({"dry_run": options.dry_run, **plain(found)}))
        return 0
    if options.dry_run:
        print(f"{found.due} chunks, {found.due_bytes} bytes, would go: no session needs them, for a day at least")
    else:
        waits = "; the others wait until every node says that it does not need them" * (found.removed < found.due)
        print(f"{found.removed} of {found.due} chunks that no session has referred to for a day are gone{waits}")
    following = f"; the next is due at {moment(found.next_ms)}" if found.next_ms else ""
    print(f"{found.waiting} more, {found.waiting_bytes} bytes, are kept until their day is over{following}")
    return 0


def check_named(options: argparse.Namespace) -> None:
    """Chunks are named one by one, or by their session. Raises `Failure`."""
    if options.chunks and options.session:
        raise Failure("name chunks or a --session, not both")
