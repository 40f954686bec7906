"""`lucid anchor` and `lucid fetch`: files onto the chain as one encrypted session, and back again."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from lucid.cli.failure import Failure, duration, hex32

if TYPE_CHECKING:
    from lucid.chain.genesis import Genesis
    from lucid.client.http import Client
    from lucid.services.config import Config

NOT_FINAL = 10
_SIZES = {"": 1, "KiB": 1 << 10, "MiB": 1 << 20}


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `lucid anchor` and `lucid fetch`."""
    anchor = commands.add_parser(
        "anchor",
        help="encrypt files, store them, and anchor them as one session",
        description="Encrypt files, store them at a node as one session, anchor it, wait until it is final, and write "
        "the receipt. The node never sees what is in them, nor their names.",
        epilog="Exit status: 0 final, 10 accepted but not final in time (nothing is lost: --wait longer, or ask for "
        "the receipt later), 2 bad usage or a node that refuses.",
    )
    anchor.add_argument("files", type=Path, nargs="+", metavar="FILE")
    _add_node(anchor)
    anchor.add_argument("--owner", type=Path, required=True, metavar="KEY", help="your key file (lucid keys new)")
    anchor.add_argument(
        "--receipt", type=Path, metavar="FILE", help="where to write the receipt (SESSION.receipt.json)"
    )
    anchor.add_argument("--chunk-size", type=_size, default=4 << 20, metavar="SIZE", help="of a stored chunk (4MiB)")
    anchor.add_argument("--wait", type=duration, default=300_000, metavar="TIME", help="for finality (default 5m)")
    anchor.set_defaults(run=run_anchor)
    fetch = commands.add_parser(
        "fetch",
        help="get a session's files back",
        description="Get a session's files back from a node, check every byte against the manifest that its owner "
        "signed, and decrypt them.",
        epilog="Exit status: 0 all files are there, 2 otherwise; no file is left behind then, and none written over.",
    )
    fetch.add_argument("session", metavar="SESSION", help="the session's id")
    _add_node(fetch)
    key = fetch.add_mutually_exclusive_group(required=True)
    key.add_argument("--owner", type=Path, metavar="KEY", help="your key file")
    key.add_argument("--session-key", metavar="HEX", help="the key of this session alone, as lucid anchor prints it")
    fetch.add_argument("--output", type=Path, default=Path(), metavar="DIR", help="where to put the files (here)")
    fetch.set_defaults(run=run_fetch)


def _add_node(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="settings: genesis, anchoring_url, data_url, token or api_tokens; LUCID_* variables win",
    )
    command.add_argument("--json", action="store_true", help="print JSON, and no progress")


def run_anchor(options: argparse.Namespace) -> int:
    """`lucid anchor`."""
    from lucid.client import calls
    from lucid.client.recording import await_final, store_files
    from lucid.client.sealing import session_key
    from lucid.poot.crypto import Edwards25519
    from lucid.services.keyfile import read_key

    secret = read_key(options.owner)
    config, genesis, client = _node(options)
    with client:
        with _progress("storing", options.json) as (progress, say):
            recording = store_files(
                client, options.files, secret, genesis.chain_id, Edwards25519(), options.chunk_size, progress
            )
            state = await_final(client, recording.session, options.wait / 1000, lambda text: say(f"{text:8}"))
        found = {
            "session": str(recording.session),
            "session_key": session_key(secret, recording.session).hex(),
            "status": state.status,
            "transaction": state.transaction,
            "height": state.height,
            "receipt": None,
        }
        if state.status == "final":
            path = options.receipt or Path(f"{recording.session}.receipt.json")
            path.write_bytes(client.send(calls.receipt(recording.session)))
            found["receipt"] = str(path)
    if options.json:
        print(json.dumps(found))
    elif state.status == "final":
        print(f"session {recording.session} is final in block {state.height}; its receipt is {found['receipt']}")
        print(f"its own key, to show it to someone: {found['session_key']}")
    else:
        print(f"session {recording.session} is accepted and {state.status}; it will be final without you")
        print(f"its receipt then: {config.anchoring_url}/sessions/{recording.session}/receipt")
    return 0 if state.status == "final" else NOT_FINAL


def run_fetch(options: argparse.Namespace) -> int:
    """`lucid fetch`."""
    from lucid.client.recording import fetch_files
    from lucid.client.sealing import session_key
    from lucid.poot.crypto import Edwards25519
    from lucid.services.keyfile import read_key

    try:
        session = UUID(options.session)
    except ValueError:
        raise Failure(f"{options.session!r} is no session id") from None
    if options.owner is not None:
        key = session_key(read_key(options.owner), session)
    else:
        key = hex32("--session-key", options.session_key)
    _, genesis, client = _node(options)
    options.output.mkdir(parents=True, exist_ok=True)
    with client, _progress("fetching", options.json) as (progress, _):
        paths = fetch_files(client, session, key, genesis.chain_id, Edwards25519(), options.output, progress)
    if options.json:
        print(json.dumps({"session": str(session), "files": [str(path) for path in paths]}))
    else:
        for path in paths:
            print(path)
    return 0


def _node(options: argparse.Namespace) -> tuple[Config, Genesis, Client]:
    """The node's settings, its chain, and a client of it."""
    from lucid.client.http import Client
    from lucid.services.config import load_config
    from lucid.services.service import read_genesis

    config = load_config(file=options.config)
    token = config.api_tokens[0] if config.api_tokens else config.token
    return config, read_genesis(config.genesis), Client(config.anchoring_url, config.data_url, token, config.trust())


@contextmanager
def _progress(what: str, quiet: bool) -> Iterator[tuple[Callable[[int, int], None], Callable[[str], None]]]:
    """A bar on standard error; yields what to tell it about bytes, and about what goes on."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=quiet or not console.is_terminal) as bar:
        task = bar.add_task(what)
        yield (
            lambda done, total: bar.update(task, completed=done, total=total),
            lambda text: bar.update(task, description=text),
        )


def _size(text: str) -> int:
    """A size in bytes, KiB or MiB."""
    from lucid.chain.chunks import MAX_CHUNK_BYTES, MIN_CHUNK_BYTES

    match = re.fullmatch(r"(\d{1,9})(KiB|MiB|)", text)
    size = int(match[1]) * _SIZES[match[2]] if match else 0
    if not MIN_CHUNK_BYTES <= size <= MAX_CHUNK_BYTES:
        raise argparse.ArgumentTypeError(f"{text!r} must be a size within 1KiB..16MiB")
    return size
