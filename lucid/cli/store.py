"""`lucid store`: the list of its actions on what a service keeps."""

from __future__ import annotations

import argparse

from lucid.cli import storeadopt, storecheck, storecopy, storemongo


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `lucid store`."""
    store = commands.add_parser("store", help="check, export, import and back up a service's store")
    actions = store.add_subparsers(metavar="ACTION", required=True)
    for each in (storecheck, storeadopt, storecopy, storemongo):
        each.register(actions)
