"""`lucid data`: what a node's data chain holds, whether it is sound, and its scrubber."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from lucid.cli.arguments import duration
from lucid.cli.failure import Failure

if TYPE_CHECKING:
    from lucid.api.answers import Checked, ChunkState, ReplicationStatus, ScrubStatus
    from lucid.client.http import Client

LOST = 20
"""Chunks are missing or corrupted."""
PAGE = 500
CONFIG_HELP = "settings: data_url, operator_token or token; LUCID_* variables win"
FAULTS = ("missing", "corrupted")
STATUSES = ("stored", "verified", "replicated", *FAULTS)


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `lucid data`."""
    data = commands.add_parser("data", help="what a node's data chain holds, and whether it is sound")
    actions = data.add_subparsers(metavar="ACTION", required=True)
    exits = "Exit status: 0 all is sound, 20 chunks are missing or corrupted, 2 bad usage or no answer."
    status = actions.add_parser("status", help="how much is held, and what is wrong with it", epilog=exits)
    status.set_defaults(run=run_status)
    listing = actions.add_parser("ls", help="list chunks and their states", epilog=exits)
    listing.add_argument("--status", choices=STATUSES, help="only those")
    listing.add_argument("--session", type=_session, metavar="SESSION", help="only those of a session")
    listing.set_defaults(run=run_ls)
    for action in (status, listing, *_register_care(actions, exits), _register_prune(actions)):
        action.add_argument("--config", metavar="FILE", help=CONFIG_HELP)
        action.add_argument("--json", action="store_true", help="print JSON")


def _register_care(
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
        action.add_argument("chunks", nargs="*", type=_chunk, metavar="CHUNK", help="ids of chunks")
        action.add_argument("--session", type=_session, metavar="SESSION", help="the chunks of a session")
    repair.set_defaults(run=run_repair)
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
    return verify, repair, scrub


def _register_prune(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
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


def run_status(options: argparse.Namespace) -> int:
    """`lucid data status`."""
    from lucid.client import calls

    with _node(options) as client:
        found = client.send(calls.data_status())
    if options.json:
        print(json.dumps(_plain(found)))
    else:
        print(f"{found.chunks} chunks, {found.total_bytes} bytes; there is room for {found.room_bytes} more")
        print(f"{found.missing} missing, {found.corrupted} corrupted, {found.quarantined} files in quarantine")
        _tell_copies(found.replication)
        _tell_scrub(found.scrub)
    return LOST if found.missing or found.corrupted else 0


def _tell_copies(copies: ReplicationStatus) -> None:
    if copies.copies == 0:
        print("copies: not known yet: the manager has not said which nodes there are")
        return
    if copies.copies == 1:
        print("copies: NONE. This chain has one node: what its disk loses is lost")
        return
    lacking = f", for {copies.lacking_s} s" if copies.lacking else ""
    print(f"copies: {copies.copies} of each chunk on {copies.nodes} nodes, {copies.connected} others connected")
    print(f"{copies.lacking} chunks lack one{lacking}; {copies.pending} wait to be fetched here")
    print(f"since its start it fetched {copies.fetched} and repaired {copies.repaired}")


def run_ls(options: argparse.Namespace) -> int:
    """`lucid data ls`."""
    with _node(options) as client:
        found = list(_chunks(client, options.status or "", options.session or ""))
    if options.json:
        print(json.dumps({"chunks": [_plain(each) for each in found]}))
    else:
        for each in found:
            print(f"{each.id}  {each.size:>8}  {each.status:10}  {each.references} references")
    return LOST if any(each.status in FAULTS for each in found) else 0


def run_verify(options: argparse.Namespace) -> int:
    """`lucid data verify`."""
    from lucid.client import calls

    _check_named(options)
    with _node(options) as client:
        named = options.chunks or [each.id for each in _chunks(client, "", options.session or "")]
        found = [client.send(calls.verify_chunk(each)) for each in named]
    return _tell_checked(found, options.json, key="verified", why="", sound="sound")


def run_repair(options: argparse.Namespace) -> int:
    """`lucid data repair`."""
    from lucid.client import calls

    _check_named(options)
    with _node(options) as client:
        if options.chunks or options.session:
            named = options.chunks or [each.id for each in _chunks(client, "", options.session)]
        else:
            named = [each.id for status in FAULTS for each in _chunks(client, status, "")]
        found = [client.send(calls.repair_chunk(each)) for each in named]
    return _tell_checked(found, options.json, key="sound", why=", and no node in reach gave it back", sound="sound now")


def _tell_checked(found: Sequence[Checked], as_json: bool, key: str, why: str, sound: str) -> int:
    """Say what chunks were found to be, the sound ones as JSON under `key`; returns the exit status."""
    wrong = [each for each in found if each.status != "verified"]
    if as_json:
        print(json.dumps({key: len(found) - len(wrong), "wrong": [_plain(each) for each in wrong]}))
    else:
        for each in wrong:
            print(f"{each.id} is {each.status}{why}")
        print(f"{len(found) - len(wrong)} of {len(found)} chunks are {sound}")
    return LOST if wrong else 0


def run_prune(options: argparse.Namespace) -> int:
    """`lucid data prune`."""
    from lucid.client import calls

    with _node(options) as client:
        found = client.send(calls.prune(options.dry_run))
    if options.json:
        print(json.dumps({"dry_run": options.dry_run, **_plain(found)}))
        return 0
    if options.dry_run:
        print(f"{found.due} chunks, {found.due_bytes} bytes, would go: no session needs them, for a day at least")
    else:
        waits = "; the others wait until every node says that it does not need them" * (found.removed < found.due)
        print(f"{found.removed} of {found.due} chunks that no session has referred to for a day are gone{waits}")
    following = f"; the next is due at {_time(found.next_ms)}" if found.next_ms else ""
    print(f"{found.waiting} more, {found.waiting_bytes} bytes, are kept until their day is over{following}")
    return 0


def _check_named(options: argparse.Namespace) -> None:
    if options.chunks and options.session:
        raise Failure("name chunks or a --session, not both")


def run_scrub(options: argparse.Namespace) -> int:
    """`lucid data scrub`."""
    from lucid.client import calls

    if options.action == "status" and options.max_duration is not None:
        raise Failure("--max-duration goes with start or pause")
    if options.action != "start" and options.max_age is not None:
        raise Failure("--max-age goes with start")
    with _node(options) as client:
        if options.action != "status":
            client.send(calls.order_scrub(options.action, options.max_duration or 0, options.max_age or 0))
        found = client.send(calls.data_status())
    if options.json:
        print(json.dumps(_plain(found.scrub)))
    else:
        _tell_scrub(found.scrub)
    return LOST if found.missing or found.corrupted else 0


def _tell_scrub(scrub: ScrubStatus) -> None:
    paused = f" until {_time(scrub.paused_until_ms)}" if scrub.paused_until_ms else ""
    left = f", {scrub.run_left_percent} % of the run are left" if scrub.run_left_percent else ""
    print(f"scrub: {scrub.state}{paused}{left}; a period has {scrub.period_ms / 86_400_000:.1f} days")
    print(f"every chunk was read, or stored, after {_time(scrub.all_read_since_ms)}{' (late)' if scrub.late else ''}")
    print(
        f"so far it read {scrub.chunks_read} chunks, {scrub.bytes_read} bytes, and found {scrub.corrupted_found} "
        f"corrupted and {scrub.missing_found} missing"
    )


def _time(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds") if ms else "it began (no round is over)"


def _chunks(client: Client, status: str, session: UUID | str) -> Iterator[ChunkState]:
    from lucid.client import calls, paging

    return paging.listed(
        client, lambda after: calls.held_chunks(after, PAGE, status, session), lambda page: page.chunks
    )


@contextmanager
def _node(options: argparse.Namespace) -> Iterator[Client]:
    """A client of the node's data chain, with the operator's token."""
    from pathlib import Path

    from lucid.client.http import Client
    from lucid.services.process.config import load_config

    config = load_config(file=None if options.config is None else Path(options.config))
    token = config.operator_token or config.token
    with Client(config.anchoring_url, config.data_url, token, config.trust()) as client:
        yield client


def _plain(value: Any) -> Any:
    import msgspec

    return msgspec.to_builtins(value)


def _session(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a session id") from None


def _chunk(text: str) -> str:
    if not re.fullmatch("[0-9a-fA-F]{64}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a chunk id: 64 hexadecimal digits")
    return text.lower()
