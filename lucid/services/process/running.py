"""How the process of a service starts, and how it ends: its log, its exit status, and in what time."""

from __future__ import annotations

import argparse
import faulthandler
import logging
import os
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import trio

from lucid.chain.errors import LucidError
from lucid.interrupts import terminable
from lucid.ledger.rowstore import RowLost
from lucid.services.process.config import ConfigError, load_config
from lucid.services.process.memory import give_back
from lucid.services.process.printable import PrintableFormatter
from lucid.services.process.service import Service
from lucid.services.process.stopsignal import stop_at_signal
from lucid.storage.errors import StoreDamaged, StoreOther

BAD_START = 2
PRIVATE = 0o077
"""The umask of a process that keeps a node's data."""
STOP_S = 7.5
"""What has not stopped by then is cut off; Docker waits for ten seconds."""
CUT_OFF_S = 1.0
"""How long that may take: a process that is there even then, because something in it hangs, is ended."""


def begin_process() -> None:
    """What is for a whole process: files for its user alone, memory that goes back, a log."""
    os.umask(PRIVATE)
    give_back()
    start_logging()


def start_logging() -> None:
    """Log to standard error; of the HTTP client only what is wrong. A crash in native code tells where it was."""
    faulthandler.enable()
    handler = logging.StreamHandler()
    handler.setFormatter(PrintableFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.getLogger("httpx").setLevel(logging.WARNING)


def main(kind: type[Service]) -> None:
    """The main program of a service: exit status 0 after SIGTERM, 2 when it cannot start, 1 when it failed."""
    parser = argparse.ArgumentParser(description=f"{kind.__doc__} Settings come from LUCID_* variables too.")
    parser.add_argument("--config", type=Path, metavar="FILE", help="TOML file of settings")
    options = parser.parse_args()
    begin_process()
    try:
        with terminable():  # the first process of a container ignores it until there is a handler
            _run(kind, options.config)
    except KeyboardInterrupt:
        print(f"{kind.listed.name}: it was stopped before it had begun", file=sys.stderr)
    except (StoreDamaged, RowLost) as met:
        error = met if isinstance(met, StoreDamaged) else StoreDamaged(met.detail, met.table, met.key)
        print(f"{kind.listed.name}: {error.sentence} ({error.detail}). To do: {error.remedy}", file=sys.stderr)
        sys.exit(BAD_START)
    except (LucidError, OSError) as error:
        print(f"{kind.listed.name}: {error}", file=sys.stderr)
        sys.exit(BAD_START)


def _run(kind: type[Service], file: Path | None) -> None:
    """Run a service with the settings in a file and the environment, until a signal."""
    config = load_config(file=file)
    if not config.token:
        raise ConfigError("token must be set: by it the node's services know each other (`lucid node` makes one)")
    run_to_end(_until_signal, kind(config if config.port else load_config(file=file, port=kind.listed.port)))
    leave()


def leave() -> NoReturn:
    """End the process, in which nothing is left to do. To take the interpreter apart would take it seconds more on a
    machine that is busy: 3.6 s were measured at a load of 24."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(0)


def end_in_time(scope: trio.CancelScope) -> None:
    """Have the process end, gently or not: first `scope` is cut off, then the process, which says where it hangs."""
    scope.deadline = trio.current_time() + STOP_S
    faulthandler.dump_traceback_later(STOP_S + CUT_OFF_S, exit=True)


def run_to_end(main: Callable[..., Awaitable[None]], *arguments: object) -> None:
    """Run services; a setting that turns out not to do, or a store that another process has come to use, is raised as
    itself, out of all nurseries."""
    try:
        trio.run(main, *arguments)
    except BaseExceptionGroup as group:
        found: BaseException | None = group.subgroup((ConfigError, StoreOther))
        while isinstance(found, BaseExceptionGroup):
            found = found.exceptions[0]
        if found is None:
            raise
        raise found from None
    finally:
        faulthandler.cancel_dump_traceback_later()


async def _until_signal(service: Service) -> None:
    stop = trio.Event()
    async with trio.open_nursery() as nursery:
        await nursery.start(stop_at_signal, stop)
        port = await nursery.start(service.run, stop)
        logging.getLogger("lucid").info("%s listens at %s:%s", service.listed.name, service.config.bind, port)
        await stop.wait()
        end_in_time(nursery.cancel_scope)
        await service.ended.wait()
        nursery.cancel_scope.cancel()
