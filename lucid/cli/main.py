"""The `lucid` command: parses arguments and hands over to one module a command."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from typing import NoReturn

from lucid.chain.printable import printable
from lucid.cli.failure import BAD_USAGE, INTERRUPTED, Failure

COMMANDS = {
    "sim": "sim",
    "replay": "replay",
    "bench": "bench",
    "keys": "keys",
    "genesis": "genesis",
    "node": "node",
    "devnet": "devnet",
    "anchor": "anchor",
    "fetch": "fetch",
    "sessions": "sessions",
    "verify": "verify",
    "store": "store",
    "data": "data",
    "chain": "chain",
    "credits": "credits",
    "smoke": "smoke",
    "deploy": "deploy",
    "completion": "completion",
}
"""Each command, in the order of the help, and the module of `lucid.cli` that adds it."""

EXTRAS = {
    **dict.fromkeys(("simpy", "zstandard", "rich"), "sim"),
    "docker": "smoke",
    "shtab": "completion",
    **dict.fromkeys(("distributed", "marimo", "pyarrow"), "analysis"),
    **dict.fromkeys(("h11", "hiredis", "httpx", "prometheus_client", "pymongo", "quart", "quart_trio"), "services"),
    **dict.fromkeys(("hypercorn", "trio", "werkzeug", "wsproto"), "services"),
}
"""Which extra brings a module that a command may lack."""


class Parser(argparse.ArgumentParser):
    """Argparse, but for bad usage, which is one sentence here as every other failure."""

    def error(self, message: str) -> NoReturn:
        """See `argparse`."""
        raise Failure(f"{message} (see {self.prog} --help)")

    def format_help(self) -> str:
        """See `argparse`; with the examples, which are loaded for nothing else."""
        from lucid.cli.examples import add_examples

        add_examples(self)
        return super().format_help()


def parser(command: str = "") -> Parser:
    """The whole command line; with a command, no other is loaded, so that each starts as fast as it can."""
    root = Parser(prog="lucid", description="A blockchain core for fleets of Raspberry Pis.")
    root.add_argument("--version", action=_Version, nargs=0, help="show version, commit and Python, and exit")
    commands = root.add_subparsers(metavar="COMMAND")
    wanted = [COMMANDS[command]] if command in COMMANDS else dict.fromkeys(COMMANDS.values())
    for module in wanted:
        importlib.import_module(f"lucid.cli.{module}").register(commands)
    root.set_defaults(run=lambda _: root.print_help())
    return root


class _Version(argparse.Action):
    """Asks git for the commit only when the version is wanted."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        from lucid.provenance import provenance

        made = provenance()
        commit = f", commit {made.commit}" if made.commit else ""
        print(f"lucid {made.lucid} ({made.python}{commit})")
        parser.exit()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns its exit status. Every failure is one sentence on standard error."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        if words[:1] == ["deploy"]:
            from lucid.cli.deploy import expand

            words = expand(words)
        options = parser(words[0] if words else "").parse_args(words)
        status: int = options.run(options) or 0
        sys.stdout.flush()
        return status
    except Failure as failure:
        print(f"lucid: {printable(str(failure))}", file=sys.stderr)
        return failure.status
    except KeyboardInterrupt:
        print("lucid: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of a pipe has gone; what it did not want to read is not an error of ours.
        sys.stderr.close()
        return 0
    except _told_in_a_sentence() as error:
        said = _system_said(error) if isinstance(error, OSError) else str(error)
        print(f"lucid: {printable(said)}", file=sys.stderr)
        return BAD_USAGE
    except ModuleNotFoundError as error:
        module = str(error.name).partition(".")[0]
        extra = EXTRAS.get(module)
        if extra is None:
            raise
        from lucid.provenance import provenance

        source = "." if provenance().commit else "lucid-blocks"
        print(f"lucid: this command needs {module}: pip install '{source}[{extra}]'", file=sys.stderr)
        return BAD_USAGE


def _told_in_a_sentence() -> tuple[type[Exception], ...]:
    """What needs no trace; asked for only where something was raised, for a command should start fast."""
    from lucid.chain.errors import LucidError

    return OSError, LucidError


def _system_said(error: OSError) -> str:
    """The file first, then what is wrong with it; never an errno."""
    names = [str(name) for name in (error.filename, error.filename2) if name is not None]
    return ": ".join([*names, error.strerror or str(error)])


if __name__ == "__main__":
    sys.exit(main())
