"""`lucid genesis`: make the document that begins a chain, and show the id of one."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

from lucid.cli.arguments import duration, hex32
from lucid.cli.boundedfile import read_bounded
from lucid.cli.failure import Failure

if TYPE_CHECKING:
    from lucid.chain.genesis import Genesis

MAX_DOCUMENT_BYTES = 4 << 20


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `lucid genesis`."""
    genesis = commands.add_parser("genesis", help="make and show genesis documents", description="Genesis documents.")
    actions = genesis.add_subparsers(metavar="ACTION", required=True)
    new = actions.add_parser(
        "new",
        help="make a genesis document",
        description="Make the genesis document of a new chain, of which every node needs the same copy, and print "
        "the chain id.",
    )
    new.add_argument("file", type=Path, metavar="FILE", help="the document to write (TOML); never overwritten")
    new.add_argument(
        "--node", action="append", default=[], metavar="NAME=ID", help="a node of the first epoch; at least one"
    )
    new.add_argument("--administrator", action="append", default=[], metavar="ID", help="an administrator's key")
    new.add_argument(
        "--threshold", type=int, default=None, metavar="K", help="how many of them must agree (default: all)"
    )
    new.add_argument("--block-interval", type=duration, default=10_000, metavar="TIME", help="default 10s")
    new.add_argument(
        "--in",
        dest="delay",
        type=duration,
        default=0,
        metavar="TIME",
        help="how long from now it begins (default: now)",
    )
    new.add_argument(
        "--rules",
        type=int,
        default=None,
        metavar="N",
        help="the version of the rules that it begins with (default: the newest that this release knows)",
    )
    show = actions.add_parser("show", help="check a document", description="Check a document and print its chain id.")
    show.add_argument("file", type=Path, metavar="FILE")
    for action, run in ((new, run_new), (show, run_show)):
        action.add_argument("--json", action="store_true", help="print JSON")
        action.set_defaults(run=run)


def run_new(options: argparse.Namespace) -> int:
    """`lucid genesis new`."""
    from lucid.chain.document import print_genesis
    from lucid.chain.genesis import Genesis, GenesisNode, beginning_with
    from lucid.chain.parameters import paced
    from lucid.chain.versions import FIRST_RULES, RULES_KNOWN

    version = RULES_KNOWN if options.rules is None else options.rules
    if not FIRST_RULES <= version <= RULES_KNOWN:
        raise Failure(f"--rules {version} must be within {FIRST_RULES}..{RULES_KNOWN}, which this release knows")

    nodes = []
    for each in options.node:
        name, _, identity = each.rpartition("=")
        if not name:
            raise Failure(f"--node {each!r} must be NAME=ID")
        nodes.append(GenesisNode(hex32("--node", identity), name))
    administrators = tuple(hex32("--administrator", each) for each in options.administrator)
    begun = Genesis(
        time.time_ns() // 1_000_000 + options.delay,
        tuple(nodes),
        administrators,
        len(administrators) if options.threshold is None else options.threshold,
        paced(options.block_interval),
    )
    made = beginning_with(begun, version).check()
    try:
        with options.file.open("x", encoding="utf-8") as file:
            file.write(print_genesis(made))
    except FileExistsError:
        raise Failure(f"{options.file} exists already") from None
    return _print(options, made.chain_id)


def run_show(options: argparse.Namespace) -> int:
    """`lucid genesis show`."""
    return _print(options, read_document(options.file).chain_id)


def read_document(path: Path) -> Genesis:
    """The genesis document in a file that a user names; one sentence for whatever it is not."""
    from lucid.chain.document import parse_genesis

    try:
        return parse_genesis(read_bounded(path, MAX_DOCUMENT_BYTES).decode())
    except UnicodeDecodeError:
        raise Failure(f"{path} is not a genesis document: it is not text") from None


def _print(options: argparse.Namespace, chain: bytes) -> int:
    print(json.dumps({"genesis": str(options.file), "chain": chain.hex()}) if options.json else chain.hex())
    return 0
