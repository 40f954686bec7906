"""`lucid verify`: what a receipt proves, from the genesis document alone, without any network."""

from __future__ import annotations

import argparse
import json
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from lucid.cli.arguments import hex32
from lucid.cli.boundedfile import read_bounded
from lucid.cli.failure import INVALID
from lucid.cli.genesis import read_document

if TYPE_CHECKING:
    from lucid.chain.receipts import Verified

NOT_COVERED = 21


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `lucid verify`."""
    verify = commands.add_parser(
        "verify",
        help="verify a receipt, offline",
        description="Say what a receipt proves. Nobody is asked and nobody is trusted: all that counts is the genesis "
        "document of the chain.",
        epilog="Exit status: 0 it holds, 20 it does not, 21 it does not reach the checkpoint (no fault of "
        "its own: ask a node for /sessions/SESSION/receipt?checkpoint=HASH), 2 bad usage. Keys of validators retired "
        "long ago could forge another history. --checkpoint rules that out: the hash of a block that you know to be "
        "final, the transaction's own or a later one.",
    )
    verify.add_argument("receipt", type=Path, metavar="RECEIPT")
    verify.add_argument("--genesis", type=Path, required=True, metavar="FILE", help="the chain's genesis document")
    verify.add_argument("--checkpoint", metavar="HASH", help="a final block's hash that it must lead to")
    verify.add_argument(
        "--chunk",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="a stored chunk that must be of the session",
    )
    verify.add_argument("--json", action="store_true", help="print JSON")
    verify.set_defaults(run=run_verify)


def run_verify(options: argparse.Namespace) -> int:
    """`lucid verify`."""
    from lucid.chain.chunks import MAX_CHUNK_BYTES
    from lucid.chain.errors import Code, Refusal
    from lucid.chain.printable import printable
    from lucid.chain.receipts import MAX_RECEIPT_BYTES, check_chunk, verify_receipt
    from lucid.poot.crypto import Edwards25519

    genesis = read_document(options.genesis)
    checkpoint = None if options.checkpoint is None else hex32("--checkpoint", options.checkpoint)
    try:
        receipt = read_bounded(options.receipt, MAX_RECEIPT_BYTES)
        verified = verify_receipt(receipt, genesis, Edwards25519(), checkpoint)
        places = [check_chunk(verified, read_bounded(path, MAX_CHUNK_BYTES), str(path)) for path in options.chunk]
    except Refusal as refusal:
        if options.json:
            print(json.dumps({"valid": False, "code": refusal.code.code, "message": str(refusal)}))
        else:
            uncovered = refusal.code is Code.RECEIPT_CHECKPOINT
            print(f"{printable(str(options.receipt))} {'is not covered' if uncovered else 'does not hold'}: {refusal}")
        return NOT_COVERED if refusal.code is Code.RECEIPT_CHECKPOINT else INVALID
    _tell(options, verified, places)
    return 0


def _tell(options: argparse.Namespace, verified: Verified, places: list[int]) -> None:
    """What a receipt that holds proves."""
    from lucid.chain.printable import printable
    from lucid.chain.transactions import SessionAnchor

    payload = verified.transaction.payload
    session, owner = (payload.session, payload.owner) if isinstance(payload, SessionAnchor) else (b"", b"")
    found = {
        "valid": True,
        "session": str(uuid.UUID(bytes=session)) if session else None,
        "owner": owner.hex() if session else None,
        "transaction": verified.transaction.id.hex(),
        "height": verified.height,
        "block": verified.hash.hex(),
        "time": datetime.fromtimestamp(verified.time_ms / 1000, UTC).isoformat(),
        "chunks": None if verified.manifest is None else len(verified.manifest.chunks),
        "places": places,
    }
    if options.json:
        print(json.dumps(found))
    else:
        what = (
            f"session {found['session']} of the owner {owner.hex()}"
            if session
            else f"transaction {found['transaction']}"
        )
        print(f"{what} is in block {found['height']} ({found['block']}) of {found['time']}, which is final")
        for path, place in zip(options.chunk, places, strict=True):
            print(f"{printable(str(path))} is its chunk {place}")
