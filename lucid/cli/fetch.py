"""`lucid fetch`: a session's files back from the nodes that hold it."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from lucid.chain.errors import LucidError
from lucid.chain.printable import printable
from lucid.cli.arguments import hex32
from lucid.cli.boundedfile import read_bounded
from lucid.cli.failure import BAD_USAGE, INTERRUPTED, Failure
from lucid.cli.nodes import add_node, nodes
from lucid.cli.progress import byte_bar
from lucid.interrupts import terminable

if TYPE_CHECKING:
    from lucid.chain.genesis import Genesis
    from lucid.chain.manifests import Manifest
    from lucid.client.http import Client


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `lucid fetch`."""
    fetch = commands.add_parser(
        "fetch",
        help="get a session's files back",
        description="Get a session's files back, from all nodes that are named at once: verify its receipt and whose "
        "it is, check every byte against the manifest that was anchored, and decrypt them.",
        epilog="Exit status: 0 all files are there, 2 otherwise, 130 Ctrl-C; no file of the session is left behind "
        "then, and none written over. What came, encrypted, stays in SESSION.partial in the folder when a node fails "
        "or something interrupts: the same command goes on from there. "
        "With --session-key alone, the owner is remembered when the session is fetched first, and another is refused "
        "from then on. Names that a system would act on are written with percent signs (%2Eprofile).",
    )
    fetch.add_argument("session", metavar="SESSION", help="the session's id")
    add_node(fetch)
    key = fetch.add_mutually_exclusive_group(required=True)
    key.add_argument("--owner", type=Path, metavar="KEY", help="your key file")
    key.add_argument(
        "--session-key", metavar="FILE", help="the key of this session alone: the file that lucid anchor wrote, or hex"
    )
    fetch.add_argument("--owner-key", metavar="HEX", help="with --session-key: the owner's public key")
    fetch.add_argument(
        "--receipt",
        type=Path,
        metavar="FILE",
        help="the receipt that lucid anchor wrote: it holds the manifest, also where the node that took the session is "
        "gone (default: ask the nodes)",
    )
    fetch.add_argument("--checkpoint", metavar="HASH", help="a final block's hash that the receipt must lead to")
    fetch.add_argument("--hidden", action="store_true", help="keep names that begin with a dot, of one you trust")
    fetch.add_argument("--output", type=Path, default=Path(), metavar="DIR", help="where to put the files (here)")
    fetch.set_defaults(run=run_fetch)


def run_fetch(options: argparse.Namespace) -> int:
    """`lucid fetch`."""
    from lucid.client.errors import NameTaken
    from lucid.client.fetching import fetch_files, partial_file

    try:
        session = UUID(options.session)
    except ValueError:
        raise Failure(f"{options.session!r} is not a session id") from None
    key, owner = _reader(options, session)
    prove = _prover(options, session, owner)
    with (
        terminable(),
        nodes(options) as (genesis, clients),
        byte_bar("fetching", options.json) as (progress, _),
    ):
        manifest = prove(genesis, clients)
        if not owner:
            _check_pin(genesis, session, bytes.fromhex(manifest.owner))
        try:
            paths = fetch_files(clients, manifest, key, options.output, progress, options.hidden)
        except (LucidError, OSError, KeyboardInterrupt) as error:
            kept = partial_file(options.output, session)
            if not kept.exists():
                raise
            stopped = isinstance(error, KeyboardInterrupt)
            what = "interrupted" if stopped else str(error)
            then = "once that is moved away, the same command" if isinstance(error, NameTaken) else "the same command"
            raise Failure(
                f"{what}; what came is kept in {kept}: {then} goes on", INTERRUPTED if stopped else BAD_USAGE
            ) from None
    if manifest.key_commitment is None:
        print("lucid: this session was sealed by an older version, which commits to no key", file=sys.stderr)
    if options.json:
        print(json.dumps({"session": str(session), "owner": manifest.owner, "files": [str(path) for path in paths]}))
    else:
        for path in paths:
            print(printable(str(path)))
    return 0


def _prover(
    options: argparse.Namespace, session: UUID, owner: bytes
) -> Callable[[Genesis, Sequence[Client]], Manifest]:
    """What proves the manifest of a session: the receipt that is named, or whichever node has one."""
    from lucid.chain.receipts import MAX_RECEIPT_BYTES
    from lucid.client.fetching import first_answer, manifest_of, proven_manifest
    from lucid.poot.crypto import Edwards25519

    crypto = Edwards25519()
    checkpoint = b"" if options.checkpoint is None else hex32("--checkpoint", options.checkpoint)
    if options.receipt is not None:
        receipt = read_bounded(options.receipt, MAX_RECEIPT_BYTES)
        return lambda genesis, clients: manifest_of(receipt, session, owner, genesis, crypto, checkpoint)
    return lambda genesis, clients: first_answer(
        clients, lambda client: proven_manifest(client, session, owner, genesis, crypto, checkpoint)
    )


def _reader(options: argparse.Namespace, session: UUID) -> tuple[bytes, bytes]:
    """The session's key, and its owner's public one, empty where the user does not say."""
    from lucid.chain.ed25519 import ed25519_public_key
    from lucid.client.sealing import session_key
    from lucid.services.process.keyfile import read_key

    if options.owner is not None:
        if options.owner_key is not None:
            raise Failure("--owner-key goes with --session-key: --owner is the owner's key itself")
        secret = read_key(options.owner)
        return session_key(secret, session), ed25519_public_key(secret)
    given = options.session_key
    key = hex32("--session-key", given) if re.fullmatch("[0-9a-fA-F]{64}", given) else read_key(Path(given))
    return key, b"" if options.owner_key is None else hex32("--owner-key", options.owner_key)


def _check_pin(genesis: Genesis, session: UUID, owner: bytes) -> None:
    """Whose a session is must be what it was the first time; the first time, say it loudly and remember it."""
    from lucid.client.pins import default_pins, pin_owner, pinned_owner

    path = default_pins()
    pinned = pinned_owner(path, genesis.chain_id, session)
    if pinned is None:
        pin_owner(path, genesis.chain_id, session, owner)
        print(
            f"lucid: WARNING: nobody said whose session {session} is. The chain says: {owner.hex()}. Ask the owner "
            f"whether that is their key. It is remembered in {path}; another is refused from now on.",
            file=sys.stderr,
        )
    elif pinned != owner:
        raise Failure(f"session {session} was {pinned.hex()}'s, and the node answers {owner.hex()}'s ({path})")
