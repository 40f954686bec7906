"""`lucid devnet`: a network of real nodes on this machine, with a live table of them."""

from __future__ import annotations

import argparse
import json
import re
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import TYPE_CHECKING

from lucid.cli.arguments import duration
from lucid.cli.failure import Failure

if TYPE_CHECKING:
    from rich.table import Table

    from lucid.services.devnet import Devnet
    from lucid.services.devnode import NodeStatus
    from lucid.services.process.mongod import Mongod

NODES = 4
INTERVAL_MS = 10_000
MAX_NODES = 32
OWN_MONGOD = r"mongodb://127\.0\.0\.1:(\d{1,5})/"
"""The store of a node whose MongoDB is in the network's folder."""
UNHEALTHY = 21
REFRESH_S = 0.5


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `lucid devnet`."""
    devnet = commands.add_parser(
        "devnet",
        help="run a network of real nodes on this machine",
        description="Run nodes as real processes on loopback, with a live table of them, until Ctrl-C or --duration.",
        epilog="Exit status: 0 all nodes agree and are healthy, 20 they do not agree, 21 a service has ended or is "
        "degraded, 10 no block came, 2 bad usage or a node that does not start.",
    )
    devnet.add_argument("--nodes", type=int, metavar="N", help=f"how many (default {NODES})")
    devnet.add_argument("--block-interval", type=duration, metavar="TIME", help="default 10s")
    devnet.add_argument("--duration", type=duration, default=None, metavar="TIME", help="stop by itself after so long")
    devnet.add_argument(
        "--dir", type=Path, metavar="DIR", help="keep everything in this folder; go on with what it keeps"
    )
    devnet.add_argument(
        "--store", choices=("sqlite", "mongo"), help="default sqlite; mongo needs a mongod: see --mongod"
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

    with ExitStack() as stack:
        folder = options.dir
        if folder is None:
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="lucid-devnet-")))
        network = _network(options, folder.resolve(), stack)
        console = Console(stderr=True)
        console.print(f"starting {len(network.nodes)} nodes in {folder}", highlight=False, soft_wrap=True)
        stack.enter_context(_stopped_by_signals())
        try:
            stack.enter_context(network)
        except TimeoutError as error:
            raise Failure(str(error)) from None
        client = stack.enter_context(httpx.Client(timeout=2.0, trust_env=False))
        live = stack.enter_context(Live(console=console, auto_refresh=False)) if not options.json else None
        until = None if options.duration is None else time.monotonic() + options.duration / 1000
        try:
            for line in _places(network):
                console.print(line, highlight=False, soft_wrap=True)
            while until is None or time.monotonic() < until:
                time.sleep(REFRESH_S)
                if live is not None:
                    live.update(_table(network.standings(client)), refresh=True)
        except KeyboardInterrupt:
            console.print("stopping")
        standings = network.standings(client)
        trouble = _trouble(network, standings)
    if live is not None and not console.is_terminal:
        console.line()  # into a file, the table is written without the end of its last line
    for line in trouble:
        console.print(line, highlight=False, soft_wrap=True)
    if options.json:
        print(json.dumps([standing._asdict() for standing in standings]))
    return _verdict(standings) or (UNHEALTHY if trouble else 0)


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """SIGTERM and SIGHUP stop the network as Ctrl-C does."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = [signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGHUP)]
    try:
        yield
    finally:
        for number, handler in zip((signal.SIGTERM, signal.SIGHUP), before, strict=True):
            signal.signal(number, handler)


def _places(network: Devnet) -> Iterator[str]:
    """Where each node is: its pages for people, its services, its token."""
    for node in network.nodes:
        yield f"{node.name}: {node.url('manager')}/explorer, token in {node.token_file}"
        yield "  " + ", ".join(f"{service} {node.url(service)}/docs" for service in node.ports)


def _trouble(network: Devnet, standings: list[NodeStatus]) -> list[str]:
    """What is wrong at the end, a sentence each."""
    found = []
    for node, standing in zip(network.nodes, standings, strict=True):
        ended = node.ended()
        found += [f"{node.name}'s {service} has ended with status {status}" for service, status in ended.items()]
        for service, state in standing.health.items():
            if service not in ended and state != "healthy":
                found.append(f"{node.name}'s {service} is {state or 'down'}")
    return found


def _network(options: argparse.Namespace, folder: Path, stack: ExitStack) -> Devnet:
    """The network in a folder: a new one, or the one that the folder keeps. Starts what its stores need."""
    from lucid.chain.errors import LucidError
    from lucid.services.devnet import GENESIS, Devnet

    if (folder / GENESIS).is_file():
        for option in ("nodes", "block_interval", "store", "journal"):
            if getattr(options, option):
                raise Failure(f"{folder} keeps a network as it is: leave out --{option.replace('_', '-')}")
        try:
            network = Devnet(folder)
            mongods = {found[1] for node in network.nodes if (found := re.match(OWN_MONGOD, node.store))}
        except (LucidError, OSError) as error:
            raise Failure(f"the network in {folder} cannot be started again: {error}") from None
        for port in mongods:
            _mongod(options, folder, stack, int(port))
        return network
    nodes = NODES if options.nodes is None else options.nodes
    if not 1 <= nodes <= MAX_NODES:
        raise Failure(f"--nodes must be within 1..{MAX_NODES}")
    if folder.exists() and any(folder.iterdir()):
        raise Failure(f"{folder} is not empty, and keeps no network")
    folder.mkdir(parents=True, exist_ok=True)
    interval_ms = INTERVAL_MS if options.block_interval is None else options.block_interval
    if options.store != "mongo":
        return Devnet(folder, nodes, interval_ms, journal=options.journal)
    mongod = _mongod(options, folder, stack)

    def store(node: str) -> str:
        return mongod.database(f"{node}-{{service}}")

    return Devnet(folder, nodes, interval_ms, journal=options.journal, store=store)


def _mongod(options: argparse.Namespace, folder: Path, stack: ExitStack, port: int = 0) -> Mongod:
    """A MongoDB in the folder, started."""
    from lucid.services.process.mongod import Mongod

    program = shutil.which(options.mongod or "mongod")
    if program is None:
        raise Failure(f"there is no {options.mongod or 'mongod'}: install MongoDB or name its program by --mongod")
    (folder / "mongod").mkdir(exist_ok=True)
    return stack.enter_context(Mongod(folder / "mongod", program, port))


def _table(standings: list[NodeStatus]) -> Table:
    from rich.table import Table

    from lucid.services.devnode import SERVICES

    table = Table("node", *SERVICES, "peers", "height", "last block")
    for each in standings:
        health = [state or "down" for state in each.health.values()]
        figures = (each.peers, each.height, each.hash)
        table.add_row(each.name, *health, *("?" if value is None else str(value)[:24] for value in figures))
    return table


def _verdict(standings: list[NodeStatus]) -> int:
    """Nodes may be a block apart when they are asked one after the other; what they hold at one height must agree."""
    hashes: dict[int, set[str]] = {}
    for each in standings:
        if each.height and each.hash:
            hashes.setdefault(each.height, set()).add(each.hash)
    if any(len(found) > 1 for found in hashes.values()):
        return 20
    return 0 if hashes else 10
