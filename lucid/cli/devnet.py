"""`lucid devnet`: a network of real nodes on this machine, with a live table of them."""

from __future__ import annotations

import argparse
import json
import shutil
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from lucid.cli.failure import Failure, duration

if TYPE_CHECKING:
    from rich.table import Table

    from lucid.services.devnet import Standing

MAX_NODES = 32
REFRESH_S = 0.5


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `lucid devnet`."""
    devnet = commands.add_parser(
        "devnet",
        help="run a network of real nodes on this machine",
        description="Run nodes as real processes on loopback, with a live table of them, until Ctrl-C or --duration.",
        epilog="Exit status: 0 all nodes agree, 20 they don't, 10 no block came, 2 bad usage or a node that fails.",
    )
    devnet.add_argument("--nodes", type=int, default=4, metavar="N", help="how many (default 4)")
    devnet.add_argument("--block-interval", type=duration, default=10_000, metavar="TIME", help="default 10s")
    devnet.add_argument("--duration", type=duration, default=None, metavar="TIME", help="stop by itself after so long")
    devnet.add_argument("--dir", type=Path, metavar="DIR", help="keep everything in this new folder (default: nothing)")
    devnet.add_argument(
        "--store", choices=("sqlite", "mongo"), default="sqlite", help="mongo needs a mongod: see --mongod"
    )
    devnet.add_argument("--mongod", metavar="PROGRAM", help="the mongod to start, in the folder (default: on the PATH)")
    devnet.add_argument("--journal", action="store_true", help="keep the machines' journals in the nodes' folders")
    devnet.add_argument("--json", action="store_true", help="print the nodes' state as JSON at the end, and no table")
    devnet.set_defaults(run=run_devnet)


def run_devnet(options: argparse.Namespace) -> int:
    """`lucid devnet`."""
    import httpx
    from rich.console import Console
    from rich.live import Live

    from lucid.services.devnet import Devnet

    if not 1 <= options.nodes <= MAX_NODES:
        raise Failure(f"--nodes must be within 1..{MAX_NODES}")
    with ExitStack() as stack:
        folder = options.dir
        if folder is None:
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="lucid-devnet-")))
        elif folder.exists() and any(folder.iterdir()):
            raise Failure(f"{folder} is not empty")
        folder.mkdir(parents=True, exist_ok=True)
        store = _store(options, folder.resolve(), stack)
        network = Devnet(folder.resolve(), options.nodes, options.block_interval, options.journal, store)
        console = Console(stderr=True)
        console.print(f"starting {options.nodes} nodes in {folder}", highlight=False)
        try:
            stack.enter_context(network)
        except TimeoutError as error:
            raise Failure(str(error)) from None
        client = stack.enter_context(httpx.Client(timeout=2.0))
        until = None if options.duration is None else time.monotonic() + options.duration / 1000
        live = stack.enter_context(Live(console=console, auto_refresh=False)) if not options.json else None
        standings = network.standings(client)
        try:
            while until is None or time.monotonic() < until:
                time.sleep(REFRESH_S)
                standings = network.standings(client)
                if live is not None:
                    live.update(_table(standings), refresh=True)
        except KeyboardInterrupt:
            console.print("stopping")
    if options.json:
        print(json.dumps([standing._asdict() for standing in standings]))
    return _verdict(standings)


def _store(options: argparse.Namespace, folder: Path, stack: ExitStack) -> Callable[[str], str]:
    """The store of each node, by its name; starts what it needs."""
    if options.store == "sqlite":
        return lambda node: ""
    from lucid.services.mongod import Mongod

    program = shutil.which(options.mongod or "mongod")
    if program is None:
        raise Failure(f"there is no {options.mongod or 'mongod'}: install MongoDB or name its program by --mongod")
    (folder / "mongod").mkdir()
    mongod = stack.enter_context(Mongod(folder / "mongod", program))
    return lambda node: mongod.database(f"{node}-{{service}}")


def _table(standings: list[Standing]) -> Table:
    from rich.table import Table

    from lucid.services.devnet import SERVICES

    table = Table("node", *SERVICES, "peers", "height", "last block")
    for each in standings:
        health = [state or "down" for state in each.health.values()]
        table.add_row(each.name, *health, *("?" if value is None else str(value)[:24] for value in each[3:1:-1]))
    return table


def _verdict(standings: list[Standing]) -> int:
    """Nodes may be a block apart when they are asked one after the other; what they hold at one height must agree."""
    hashes: dict[int, set[str]] = {}
    for each in standings:
        if each.height and each.hash:
            hashes.setdefault(each.height, set()).add(each.hash)
    if any(len(found) > 1 for found in hashes.values()):
        return 20
    return 0 if hashes else 10
