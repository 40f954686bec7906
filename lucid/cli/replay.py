"""`lucid replay`: feed a journal to a fresh machine and report the first effect that differs."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from msgspec.structs import replace

from lucid.cli.failure import Failure

DIFFERS = 20


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `lucid replay`."""
    replay = commands.add_parser(
        "replay",
        help="replay a machine's journal",
        description="Feed a journal to a fresh machine, without I/O, and report the first effect that differs.",
        epilog="Exit status: 0 no difference, 20 a difference, 2 bad usage or a damaged journal.",
    )
    replay.add_argument("journal", type=Path, nargs="+", metavar="JOURNAL", help="journal files, or folders of them")
    replay.add_argument(
        "--key", type=Path, metavar="KEY", help="the key file of a real node's engine, whose journals leave it out"
    )
    replay.add_argument("--json", action="store_true", help="print JSON lines")
    replay.set_defaults(run=run_replay)


def run_replay(options: argparse.Namespace) -> int:
    """`lucid replay`."""
    from lucid.chain.errors import Refusal
    from lucid.machines.replaying import replay as replayed
    from lucid.storage.journal import JournalError, read_journal
    from sim.cpus import CPUS
    from sim.meteredcrypto import MeteredCrypto

    status = 0
    for path in _journals(options.journal):
        try:
            head, entries = read_journal(path)
            if head.machine == "engine" and not head.secret:
                head = replace(head, secret=_secret(options.key, path))
            crypto = MeteredCrypto("real" if head.crypto == "real" else "modeled", CPUS["server"])
            count, difference = replayed(head, entries, crypto)
        except JournalError as error:
            raise Failure(str(error)) from None
        except Refusal as refusal:
            raise Failure(f"{path} is damaged: {refusal}") from None
        if difference is not None:
            status = DIFFERS
        if options.json:
            found = None if difference is None else difference._asdict()
            print(json.dumps({"journal": str(path), "machine": head.machine, "events": count, "difference": found}))
        elif difference is None:
            print(f"{path}: {count} events of the {head.machine}, no difference")
        else:
            print(
                f"{path}: event {difference.entry} ({difference.event} at {difference.now} ms), effect "
                f"{difference.effect}: recorded {difference.recorded}, replayed {difference.replayed}"
            )
            sys.stdout.flush()
    return status


def _secret(key: Path | None, path: Path) -> bytes:
    """The secret that a real engine's journal leaves out."""
    from lucid.services.process.keyfile import read_key

    if key is None:
        raise Failure(f"{path} is the journal of a real node's engine, which leaves its secret out: name it by --key")
    return read_key(key)


def _journals(paths: list[Path]) -> list[Path]:
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(path.rglob("*.journal"))
            if not inside:
                raise Failure(f"{path} holds no journal")
            found += inside
        elif path.is_file():
            found.append(path)
        else:
            raise Failure(f"there is no journal {path}")
    return found
