"""`python -m harness.soak --minutes 60 --seed 1`: exit status 0 where nothing was lost and no /health was false.

Ctrl-C and SIGTERM end it after the fault that goes on, with a report; the second one at once.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec import structs

from harness.soak.disks import enter_namespace, small_disk
from harness.soak.ending import check_logs, check_stores
from harness.soak.links import Links
from harness.soak.soak import run
from harness.soak.trial import SoakTrial
from lucid.chain.parameters import paced
from lucid.interrupts import stoppable
from lucid.services.devnet import Devnet
from lucid.services.process.mongod import Mongod

NODES = 4
SMALL = ("node1", "node2")
"""The nodes whose disks are small and may be filled."""
INTERVAL_MS = 1_000
STOPPED = 130
"""Exit status of a soak that Ctrl-C or SIGTERM ended before its time, with nothing wrong until then."""
EPOCH_SLOTS = 3
"""Short epochs: an engine that lost its votes signs again from the next but one."""


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--store", choices=("sqlite", "mongo"), default="sqlite")
    parser.add_argument("--mongod", default="mongod", help="program, for --store mongo")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="an empty folder for logs and journals, to explain")
    options = parser.parse_args()
    if options.store == "mongo" and shutil.which(options.mongod) is None:
        parser.error(f"there is no {options.mongod}: --mongod")
    enter_namespace()
    with stoppable() as stopped, ExitStack() as stack:
        trial = _begun(stack, options)
        with trial.network:
            run(trial, options.minutes * 60, stopped)
        check_logs(trial)
        if options.store == "sqlite":
            check_stores(trial)
        early = stopped()
    if early:
        print("stopped before its time: what follows is of what was run", flush=True)
    _report(trial)
    if trial.wrong:
        return 1
    return STOPPED if early else 0


def _begun(stack: ExitStack, options: argparse.Namespace) -> SoakTrial:
    """A network that can be hurt, not started yet."""
    # Not in /tmp, which may be memory.
    folder = Path(stack.enter_context(TemporaryDirectory(prefix=".lucid-soak-", dir=Path.cwd())))
    names = [f"node{number}" for number in range(NODES)]
    disks = {name: stack.enter_context(small_disk(folder / name)) for name in SMALL}
    small = {name: disk for name, disk in disks.items() if disk is not None}
    if not small:
        print("no disk is filled: this system lets nobody mount one (`unshare --mount`)", flush=True)
    mongods: dict[str, Mongod] = {}
    if options.store == "mongo":
        for name in names:
            (folder / f"mongod-{name}").mkdir()
            mongods[name] = stack.enter_context(Mongod(folder / f"mongod-{name}", options.mongod))
    network = Devnet(
        folder,
        NODES,
        INTERVAL_MS,
        store=lambda name: mongods[name].database("{service}") if mongods else "",
        parameters=structs.replace(paced(INTERVAL_MS), epoch_slots=EPOCH_SLOTS),
    )
    links = Links([node.peer_port for node in network.nodes])
    stack.callback(links.close)
    for number, node in enumerate(network.nodes):
        # A full disk has no room for a log either, and then its words are those of the logging, not of the node.
        node.logs = (folder if options.keep is None else options.keep) / f"logs-{node.name}"
        node.logs.mkdir(parents=True)
        config = node.folder / "node.toml"
        text = config.read_text(encoding="utf-8")
        if options.keep is not None:
            text += f'journal = "{options.keep.resolve() / f"journal-{node.name}"}"\n'
        for other, each in enumerate(network.nodes):
            if each is not node:
                text = text.replace(f"tcp://127.0.0.1:{each.peer_port}", f"tcp://127.0.0.1:{links.port(number, other)}")
        config.write_text(text, encoding="utf-8")
    return SoakTrial(network, links, small, mongods, options.seed)


def _report(trial: SoakTrial) -> None:
    print(f"{len(trial.accepted)} sessions accepted, {trial.refused} refused")
    print("| fault | times | healed after, median | at most |\n|---|---|---|---|")
    for kind, times in sorted(trial.healed.items()):
        print(f"| {kind} | {len(times)} | {statistics.median(times):.1f} s | {max(times):.1f} s |")
    for sentence in trial.wrong:
        print(f"WRONG: {sentence}")


if __name__ == "__main__":
    sys.exit(main())
