"""`lucid keys`: make a node's key, and show whose a key is."""

from __future__ import annotations

import argparse
import json
from pathlib import Path


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `lucid keys`."""
    keys = commands.add_parser("keys", help="make and show keys of nodes", description="Keys of nodes.")
    actions = keys.add_subparsers(metavar="ACTION", required=True)
    new = actions.add_parser(
        "new",
        help="make a key",
        description="Make a key that only you may read, and print the id of the node that holds it. An existing file "
        "is never overwritten. The node's id is written beside it, for its other services. The file KEY.unused says "
        "that "
        "nothing was signed yet: never copy it.",
    )
    new.add_argument("--lock", type=Path, metavar="FILE", help="lock the key with the passphrase in FILE's first line")
    show = actions.add_parser(
        "show",
        help="print the node id of a key",
        description="Print the node id of a key. LUCID_KEY_PASSPHRASE_FILE names the passphrase of a locked one.",
    )
    for action, run in ((new, run_new), (show, run_show)):
        action.add_argument("key", type=Path, metavar="KEY", help="the key file")
        action.add_argument("--json", action="store_true", help="print JSON")
        action.set_defaults(run=run)


def run_new(options: argparse.Namespace) -> int:
    """`lucid keys new`."""
    from lucid.services.process.keyfile import passphrase, write_key

    lock = None if options.lock is None else passphrase("", options.lock)
    return _print(options, write_key(options.key, lock))


def run_show(options: argparse.Namespace) -> int:
    """`lucid keys show`."""
    from lucid.services.process.keyfile import read_key

    return _print(options, read_key(options.key))


def _print(options: argparse.Namespace, secret: bytes) -> int:
    from lucid.chain.ed25519 import ed25519_public_key

    node = ed25519_public_key(secret).hex()
    print(json.dumps({"key": str(options.key), "node": node}) if options.json else node)
    return 0
