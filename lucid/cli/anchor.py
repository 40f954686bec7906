"""`lucid anchor`: files onto the chain as one encrypted session."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from lucid.chain.errors import LucidError
from lucid.chain.printable import printable
from lucid.cli.arguments import chunk_size, duration
from lucid.cli.failure import BAD_USAGE, INTERRUPTED, INVALID, Failure
from lucid.cli.nodes import add_node, nodes
from lucid.cli.progress import byte_bar
from lucid.interrupts import terminable

if TYPE_CHECKING:
    from lucid.api.answers import SessionCopies
    from lucid.chain.genesis import Genesis
    from lucid.client.http import Client
    from lucid.client.journal import Journal
    from lucid.client.recording import Recording

NOT_FINAL = 10
REPLICATED = "replicated"
WAIT_MS = 300_000
LEFT_OUT_SHOWN = 3


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `lucid anchor`."""
    anchor = commands.add_parser(
        "anchor",
        help="encrypt files, store them, and anchor them as one session",
        description="Encrypt files and folders, store them at a node as one session, anchor it, wait until it is "
        "final, verify the receipt and write it. The node never sees what is in them, nor their names.",
        epilog="Exit status: 0 final and proven, 10 accepted but not final (or not replicated) in time, 20 the "
        "node's receipt is invalid, 2 bad usage or a node that refuses. --resume continues one that was interrupted.",
    )
    anchor.add_argument(
        "files", type=Path, nargs="*", metavar="FILE", help="a file, or a folder and its files (no links)"
    )
    add_node(anchor)
    anchor.add_argument("--owner", type=Path, required=True, metavar="KEY", help="your key file (lucid keys new)")
    anchor.add_argument("--resume", type=Path, metavar="FILE", help="go on with SESSION.recording, and no other files")
    anchor.add_argument(
        "--receipt", type=Path, metavar="FILE", help="where to write the receipt (SESSION.receipt.json)"
    )
    anchor.add_argument(
        "--session-key",
        type=Path,
        metavar="FILE",
        help="write the session key there (secret; share it to grant access)",
    )
    anchor.add_argument(
        "--chunk-size", type=chunk_size, default=4 << 20, metavar="SIZE", help="size of a stored chunk (default 4MiB)"
    )
    anchor.add_argument(
        "--wait",
        type=_wait,
        action="append",
        default=[],
        metavar="TIME|replicated",
        help="how long to wait (default 5m); with `replicated`, also until other nodes hold copies of all chunks; "
        "give it twice for both",
    )
    anchor.set_defaults(run=run_anchor)


def run_anchor(options: argparse.Namespace) -> int:
    """`lucid anchor`."""
    from lucid.client.journal import read_journal
    from lucid.client.recording import begin
    from lucid.poot.crypto import Edwards25519
    from lucid.services.process.keyfile import read_key

    if bool(options.files) == bool(options.resume):
        raise Failure("name files to anchor, or an interrupted recording to --resume, not both")
    if options.session_key is not None and options.files and options.session_key.exists():
        raise Failure(f"--session-key: {options.session_key} exists already")
    for name, path in (("--receipt", options.receipt), ("--session-key", options.session_key)):
        if path is not None and not path.parent.is_dir():
            raise Failure(f"{name}: {path}: there is no folder {path.parent}")
    secret, crypto = read_key(options.owner), Edwards25519()
    with terminable(), nodes(options) as (genesis, clients):
        if options.resume is not None:
            journal, kept = read_journal(options.resume), options.resume
            if journal.chain != genesis.chain_id.hex():
                raise Failure(f"{options.resume} is a recording for another chain")
        else:
            _name_left_out(options.files)
            journal = begin(options.files, crypto.public_key(secret), genesis.chain_id, options.chunk_size)
            kept = (options.receipt or Path()).parent / f"{journal.session}.recording"
        return _resumable(options, AnchorJob(genesis, clients, journal, kept, secret))


def _name_left_out(paths: Sequence[Path]) -> None:
    """Say what in the folders is not anchored: who does not read it would believe that it is."""
    from lucid.client.sources import left_out

    if found := left_out(paths):
        shown = ", ".join(printable(str(each)) for each in found[:LEFT_OUT_SHOWN])
        more = ", ..." if len(found) > LEFT_OUT_SHOWN else ""
        what = f"not anchored, as links and what is no file are left out ({len(found)}): {shown}{more}"
        print(f"lucid: {what}", file=sys.stderr)


def _resumable(options: argparse.Namespace, doing: AnchorJob) -> int:
    """Anchor; if that ends early, say how it goes on."""
    from lucid.client.errors import BundleError

    kept = doing.kept
    try:
        return _anchor(options, doing)
    except (LucidError, OSError, KeyboardInterrupt) as error:
        if not kept.exists():
            raise
        what = "interrupted" if isinstance(error, KeyboardInterrupt) else str(error)
        then = "once that is put right, " if isinstance(error, BundleError) else ""
        raise Failure(
            f"{what}; nothing is lost: {then}lucid anchor --resume {kept} goes on",
            INTERRUPTED if isinstance(error, KeyboardInterrupt) else BAD_USAGE,
        ) from None


class AnchorJob(NamedTuple):
    """What `lucid anchor` is about: the recording, its file, the owner's secret, and the nodes to try."""

    genesis: Genesis
    clients: list[Client]
    journal: Journal
    kept: Path
    secret: bytes


def _anchor(options: argparse.Namespace, doing: AnchorJob) -> int:
    from lucid.client.following import await_final, await_replicated, hand_on, replicated
    from lucid.client.sealing import session_key
    from lucid.poot.crypto import Edwards25519

    crypto = Edwards25519()
    with byte_bar("storing", options.json) as (progress, say):
        client, recording = _store(options, doing, progress)
        owner = crypto.public_key(doing.secret)
        wait_s = next((each for each in options.wait if each != REPLICATED), WAIT_MS) / 1000
        deadline = time.monotonic() + wait_s
        state = await_final(client, recording.session, wait_s, lambda text: say(f"{text:8}"), owner)
        copied = None
        if state.status == "final" and REPLICATED in options.wait:
            left_s = deadline - time.monotonic()
            copied = await_replicated(client, recording.session, owner, left_s, lambda text: say(f"{text:8}"))
    found: dict[str, Any] = {
        "session": str(recording.session),
        "owner": owner.hex(),
        "session_key": None,
        "status": state.status,
        "transaction": state.transaction,
        "height": state.height,
        "receipt": None,
    }
    if REPLICATED in options.wait:
        found["replicated"] = copied is not None and replicated(copied)
        found["copies"] = None if copied is None else copied.copies
    if options.session_key is not None:
        _write_secret(options.session_key, session_key(doing.secret, recording.session))
        found["session_key"] = str(options.session_key)
    if state.status == "final":
        found["receipt"] = str(_write_receipt(options, doing, client, recording))
        for error in hand_on([each for each in doing.clients if each is not client], recording):
            print(f"lucid: no second copy of the manifest: {error}", file=sys.stderr)
        doing.kept.unlink(missing_ok=True)
    _tell(options, doing, found)
    if copied is not None:
        _tell_copies(copied, options.json)
    return 0 if state.status == "final" and found.get("replicated", True) else NOT_FINAL


def _write_receipt(options: argparse.Namespace, doing: AnchorJob, client: Client, recording: Recording) -> Path:
    """Write the receipt of a final session, verified; returns where. Raises `Failure`."""
    from lucid.chain.errors import Refusal
    from lucid.client.following import proven_receipt
    from lucid.poot.crypto import Edwards25519

    path = options.receipt or Path(f"{recording.session}.receipt.json")
    try:
        path.write_bytes(proven_receipt(client, recording, doing.genesis, Edwards25519()))
    except Refusal as refusal:
        raise Failure(
            f"{client.name} says that session {recording.session} is final, but its receipt proves nothing: "
            f"{refusal}; lucid anchor --resume {doing.kept} asks again",
            INVALID,
        ) from None
    return path


def _tell(options: argparse.Namespace, doing: AnchorJob, found: dict[str, Any]) -> None:
    """What became of a session."""
    if options.json:
        print(json.dumps(found))
    elif found["status"] == "final":
        print(f"session {found['session']} is final in block {found['height']}; its receipt holds: {found['receipt']}")
        if options.session_key is not None:
            print(f"session key (secret; share it to grant access): {options.session_key}")
    else:
        print(f"session {found['session']} is accepted and {found['status']}; finality no longer needs this client")
        print(f"to get the receipt once it is final: lucid anchor --resume {doing.kept}")


def _tell_copies(copied: SessionCopies, quiet: bool) -> None:
    from lucid.client.following import replicated

    if copied.copies == 1:
        print("lucid: this chain has one node: there are no copies, and what its disk loses is lost", file=sys.stderr)
    elif not quiet:
        held = sum(
            (copied.pending, copied.stored, copied.verified, copied.replicated, copied.missing, copied.corrupted)
        )
        where = f"{copied.replicated} of its {held} chunks are at {copied.copies} nodes"
        if copied.on_chain is not None:
            where += f"; on the chain {copied.on_chain} nodes say that they hold each"
        print(f"{where}{'' if replicated(copied) else '; the others follow without you'}")


def _wait(text: str) -> int | str:
    """What to wait for: a time in ms, or copies."""
    return REPLICATED if text == REPLICATED else duration(text)


def _store(
    options: argparse.Namespace, doing: AnchorJob, progress: Callable[[int, int], None]
) -> tuple[Client, Recording]:
    """Store the recording at the first node in reach; what one refuses permanently no other is asked to take."""
    from lucid.client.calls import ClientError
    from lucid.client.journal import read_journal
    from lucid.client.recording import store_files
    from lucid.poot.crypto import Edwards25519

    journal, resume = doing.journal, options.resume is not None
    for client in doing.clients:
        try:
            crypto = Edwards25519()
            made = store_files(client, journal, doing.secret, crypto, progress, kept=doing.kept, resume=resume)
            return client, made
        except ClientError as error:
            if client is doing.clients[-1] or not doing.kept.exists():
                raise
            print(f"lucid: {error}; going on with the next node", file=sys.stderr)
            journal, resume = read_journal(doing.kept), True
    raise AssertionError("there is a node")


def _write_secret(path: Path, secret: bytes) -> None:
    """A new file that only its owner may read; one with this very key, which an interrupted run left, is accepted.
    Raises `BundleError`."""
    from lucid.client.errors import BundleError

    text = secret.hex() + "\n"
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
    except FileExistsError:
        if not path.is_file() or path.stat().st_size != len(text) or path.read_text() != text:
            raise BundleError(f"{path} exists already") from None
