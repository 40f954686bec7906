"""`lucid sessions`: what sessions a node stores chunks of, and how one is removed."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from lucid.cli.arguments import hex32
from lucid.cli.failure import Failure
from lucid.cli.nodes import add_node, nodes

if TYPE_CHECKING:
    from lucid.api.answers import SessionChunks
    from lucid.chain.genesis import Genesis
    from lucid.client.http import Client

PAGE = 500


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `lucid sessions`."""
    sessions = commands.add_parser(
        "sessions",
        help="list and remove the sessions that a node stores",
        description="The sessions that a node stores chunks of. What is anchored stays anchored whatever is removed.",
    )
    actions = sessions.add_subparsers(metavar="ACTION", required=True)
    show = actions.add_parser(
        "list",
        help="list them, and where each is",
        description="List the sessions that refer to chunks at a node, and where each is: replicated (final, and the "
        "nodes that should hold its chunks said on the chain that they do), final, included, pending, failed, or not "
        "anchored, as a recording that was interrupted (lucid anchor --resume goes on with it).",
    )
    remove = actions.add_parser(
        "remove",
        help="give a session's chunks up",
        description="Take away all references of a session to chunks at a node. A chunk that nothing refers to any "
        "more, here or at another node, is removed a day later, and its copies too. With an API token only what was "
        "stored under it can go, or what the owner's key (--owner) signs for.",
    )
    remove.add_argument("session", metavar="SESSION", help="the session's id")
    owner = remove.add_mutually_exclusive_group()
    owner.add_argument("--owner", type=Path, metavar="KEY", help="your key file: signs that the session may go")
    owner.add_argument("--owner-key", metavar="HEX", help="the owner's public key, where the id has several")
    for action, run in ((show, run_list), (remove, run_remove)):
        add_node(action)
        action.set_defaults(run=run)


def run_list(options: argparse.Namespace) -> int:
    """`lucid sessions list`."""
    found = []
    with nodes(options) as (_, clients):
        for client in clients:
            for each in _all(client):
                found.append({"node": client.name, **_described(each), "status": _status(client, each)})
    if options.json:
        print(json.dumps({"sessions": found}))
        return 0
    for row in found:
        since = datetime.fromtimestamp(row["since_ms"] / 1000, UTC).isoformat(timespec="seconds")
        print(
            f"{row['session']}  {row['owner'][:16] or '-':16}  {row['status']:12}  {row['chunks']:>7} chunks  "
            f"{row['total_bytes']:>14} bytes  {since if row['since_ms'] else 'unknown'}"
        )
    return 0


def _all(client: Client) -> Iterator[SessionChunks]:
    from lucid.client import calls, paging

    return paging.listed(client, lambda after: calls.stored_sessions(after, PAGE), lambda page: page.sessions)


def _described(session: SessionChunks) -> dict[str, Any]:
    return {field: getattr(session, field) for field in session.__struct_fields__}


def _status(client: Client, session: SessionChunks) -> str:
    from lucid.client import calls
    from lucid.client.calls import ClientError

    try:
        state = client.send(calls.session_state(UUID(session.session), bytes.fromhex(session.owner)))
        return "replicated" if state.replicated else state.status
    except ClientError as error:
        if error.status == 404:
            return "not anchored"
        if error.status == 409:
            return "several"
        return "unknown"


def run_remove(options: argparse.Namespace) -> int:
    """`lucid sessions remove`."""
    from lucid.client import calls
    from lucid.client.calls import ClientError

    try:
        session = UUID(options.session)
    except ValueError:
        raise Failure(f"{options.session!r} is not a session id") from None
    removed, missing = 0, None
    with nodes(options) as (genesis, clients):
        release = _release(options, genesis, session)
        for client in clients:
            try:
                removed += client.send(calls.remove_session(session, *release)).references
            except ClientError as error:
                if error.status != 404:
                    raise
                missing = error
    if not removed and missing is not None:
        raise missing
    if options.json:
        print(json.dumps({"session": str(session), "references": removed}))
    else:
        print(f"{removed} references of session {session} to chunks are gone")
    return 0


def _release(options: argparse.Namespace, genesis: Genesis, session: UUID) -> tuple[bytes, int, bytes]:
    """The owner, until when the session may go, and the signature; 0 and none without the owner's key."""
    from lucid.chain.releases import MAX_AHEAD_MS, release_message
    from lucid.poot.crypto import Edwards25519
    from lucid.services.process.keyfile import read_key

    if options.owner is None:
        return b"" if options.owner_key is None else hex32("--owner-key", options.owner_key), 0, b""
    secret, crypto = read_key(options.owner), Edwards25519()
    owner, until_ms = crypto.public_key(secret), time.time_ns() // 1_000_000 + MAX_AHEAD_MS // 2
    return owner, until_ms, crypto.sign(secret, release_message(genesis.chain_id, session.bytes, owner, until_ms))
