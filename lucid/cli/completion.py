"""`lucid completion`: prints a script that completes commands and options in a shell."""

from __future__ import annotations

import argparse

SHELLS = ("bash", "zsh", "tcsh")


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `lucid completion`."""
    completion = commands.add_parser(
        "completion",
        help="print shell completion",
        description="Print a script that completes lucid's commands and options in a shell.",
    )
    completion.add_argument("shell", choices=SHELLS, metavar="SHELL", help=f"one of {', '.join(SHELLS)}")
    completion.set_defaults(run=run_completion)


def run_completion(options: argparse.Namespace) -> int:
    """`lucid completion`."""
    import shtab

    from lucid.cli.main import parser

    print(shtab.complete(parser(), shell=options.shell))
    return 0
