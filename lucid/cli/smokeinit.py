"""`lucid smoke init`: a manifest for a tree that has none."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from lucid.cli.failure import Failure

if TYPE_CHECKING:
    from smoke.judgment import Judgment
    from smoke.static.treejudge import Say
    from smoke.subject import Subject

    Kinds = argparse._SubParsersAction[argparse.ArgumentParser]
    Judge = Callable[[argparse.Namespace, Subject, Say], Judgment]


def add_init(kinds: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """What writes a manifest."""
    init = kinds.add_parser(
        "init",
        help="write a manifest for a tree",
        description="Write a smoke.toml for a tree from what is found in it, to be reviewed and completed.",
        epilog="Exit status: 0 written, 2 otherwise.",
    )
    root_option(init)
    init.add_argument("--force", action="store_true", help="write over a smoke.toml that is there")
    init.set_defaults(run=run_init)


def root_option(command: argparse.ArgumentParser) -> None:
    """The tree that is judged, or described."""
    command.add_argument("--root", type=Path, default=Path(), metavar="DIR", help="the tree (default: here)")


def run_init(options: argparse.Namespace) -> int:
    """`lucid smoke init`."""
    from smoke.manifestfile import FILE_NAME, ManifestError
    from smoke.static.inference import write_manifest

    if not options.root.is_dir():
        raise Failure(f"{options.root} is not a directory")
    path = options.root / FILE_NAME
    if path.exists() and not options.force:
        raise Failure(f"{path} exists already; --force writes over it")
    try:
        text = write_manifest(options.root)
    except ManifestError as error:
        raise Failure(str(error)) from None
    path.write_text(text, encoding="utf-8")
    services = text.count("[[service]]")
    print(f"{path}: {services} service{'' if services == 1 else 's'}; review it, then run lucid smoke static")
    return 0
