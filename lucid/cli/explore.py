"""`lucid sim explore`: every order of deliveries, timers and crashes of a small network of the real machines."""

from __future__ import annotations

import argparse
import json
import sys
import time
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lucid.cli.compiled import refuse_compiled
from lucid.cli.failure import INTERRUPTED, Failure
from lucid.interrupts import terminable

if TYPE_CHECKING:
    from harness.explore.scope import ExploreScope
    from harness.explore.search import Search

OPEN = 10
"""Exit status when a limit ended the search before every state was seen."""
FOUND = 20
"""Exit status when a rule is broken."""
KEPT_EVERY_S = 300
MOST_NODES = 7


def register(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `lucid sim explore`."""
    explore = actions.add_parser(
        "explore",
        help="search every state of a small network",
        description="Search every state that a few validators can be in within a few views: the real machines, each "
        "order of deliveries, timers and crashes, and one of them Byzantine. Wherever nothing more can happen, the "
        "chain must come back by itself.",
        epilog="Exit status: 0 every state was seen and no rule is broken, 10 a limit came first, 20 a rule is broken, "
        "130 interrupted (--out keeps what was seen), 2 bad usage.",
    )
    explore.add_argument(
        "--nodes", type=int, default=4, metavar="N", help=f"validators, 1 to {MOST_NODES} (default: 4)"
    )
    explore.add_argument("--views", type=int, default=2, metavar="V", help="views, 1 to 5 (default: 2)")
    explore.add_argument("--crashes", type=int, default=1, metavar="C", help="crashes of each honest node (default: 1)")
    explore.add_argument(
        "--byzantine", default="0", metavar="PLACE",
        help="the traitor's place in the order of leaders, or none (default: 0, the first to lead)",
    )  # fmt: skip
    explore.add_argument(
        "--blocks", type=int, choices=(1, 2), default=2, help="blocks that the traitor puts forward on each parent"
    )
    explore.add_argument("--without", metavar="NAME", help="switch this safeguard off (lucid sim ablate --list)")
    explore.add_argument("--states", type=int, metavar="N", help="stop after so many states")
    explore.add_argument("--minutes", type=float, metavar="M", help="stop after so long")
    explore.add_argument(
        "--out", type=Path, metavar="FILE",
        help="file that keeps what was seen; an existing one is continued. Never load one that somebody else wrote",
    )  # fmt: skip
    explore.add_argument("--json", action="store_true", help="print the result as JSON")
    explore.set_defaults(run=run_explore)


def run_explore(options: argparse.Namespace) -> int:
    """`lucid sim explore`."""
    from harness.explore.record import ExploreRecordError, write
    from harness.hunt.ablation import without
    from harness.hunt.safeguards import SAFEGUARDS
    from lucid.provenance import provenance

    scope, name = _scope(options), options.without or ""
    if name and name not in SAFEGUARDS:
        raise Failure(f"no safeguard {name!r}; lucid sim ablate --list names them")
    if name:
        refuse_compiled()
    commit, interrupted = provenance().commit, False
    with without(name) if name else nullcontext():
        try:
            search = _search(options.out, scope, commit, name)
        except (ExploreRecordError, OSError) as error:
            raise Failure(str(error)) from None
        before, watch = search.states, _Watch(options, search)
        with terminable():
            try:
                search.go_on(watch.enough)
            except KeyboardInterrupt:
                interrupted = True
        if options.out is not None:
            write(options.out, search, commit, name)
    watch.close()
    _report(options, search, search.states - before, watch.seconds, interrupted)
    if search.broken is not None:
        return FOUND
    if interrupted:
        kept = f"; {options.out} keeps what was seen, run again to go on" if options.out is not None else ""
        print(f"lucid: interrupted{kept}", file=sys.stderr)
        return INTERRUPTED
    return 0 if search.result().closed else OPEN


class _Watch:
    """How long a search has taken; it shows how far it is, and says when it has had enough."""

    def __init__(self, options: argparse.Namespace, search: Search) -> None:
        self._began = time.perf_counter()
        self._shown = self._began
        self._options = options
        self._first = search.states
        self._live = sys.stderr.isatty() and not options.json

    @property
    def seconds(self) -> float:
        """Wall time so far."""
        return time.perf_counter() - self._began

    def enough(self, search: Search) -> bool:
        """Whether a limit is reached."""
        options, now = self._options, time.perf_counter()
        if self._live and now - self._shown > 1:
            self._shown = now
            speed = (search.states - self._first) / self.seconds
            print(f"\r{search.states:,} states, depth {search.depth}, {speed:,.0f} a second ", end="", file=sys.stderr)
        return (options.states is not None and search.states >= options.states) or (
            options.minutes is not None and self.seconds >= options.minutes * 60
        )

    def close(self) -> None:
        """End the line that was shown."""
        if self._live:
            print(file=sys.stderr)


def _search(path: Path | None, scope: ExploreScope, commit: str, without: str) -> Search:
    from harness.explore.record import read
    from harness.explore.search import Search

    if path is not None and path.exists():
        return read(path, scope, commit, without)
    if path is not None:
        path.open("ab").close()
        path.unlink()
    return Search(scope)


def _scope(options: argparse.Namespace) -> ExploreScope:
    from harness.explore.scope import SILENT, ExploreScope

    for key, least, most in (("nodes", 1, MOST_NODES), ("views", 1, 5), ("crashes", 0, 5)):
        if not least <= getattr(options, key) <= most:
            raise Failure(f"--{key} must be within {least}..{most}")
    if options.states is not None and options.states < 1:
        raise Failure("--states must be at least 1")
    if options.minutes is not None and not options.minutes > 0:
        raise Failure("--minutes must be above 0")
    byzantine, nodes = options.byzantine, options.nodes
    if byzantine == "none":
        place = SILENT
    elif byzantine.isascii() and byzantine.isdigit() and int(byzantine) < nodes:
        place = int(byzantine)
    else:
        raise Failure(f"--byzantine must be none or a place from 0 to {nodes - 1}, not {byzantine!r}")
    if place != SILENT and nodes < 4:
        raise Failure(f"{nodes} validators tolerate no traitor: --byzantine none, or at least 4 of them")
    return ExploreScope(nodes, options.views, options.crashes, place, options.blocks)


def _report(options: argparse.Namespace, search: Search, new: int, seconds: float, interrupted: bool) -> None:
    from harness.explore.told import scope_in_words, trail_in_words

    found = search.result()
    trail = list(trail_in_words(search))
    if options.json:
        document: dict[str, Any] = {
            "scope": search.scope._asdict(),
            "without": options.without,
            "interrupted": interrupted,
            "states": found.states,
            "states_now": new,
            "seconds": round(seconds, 3),
            "depth": found.depth,
            "steps": found.steps,
            "stands": found.stands,
            "letters": found.letters,
            "quiet": found.quiet,
            "closed": found.closed,
            "waiting": found.waiting,
            "broken": None if found.broken is None else {"rule": found.broken.rule, "detail": found.broken.detail},
            "trail": trail,
        }
        print(json.dumps(document))
        return
    print(
        f"{scope_in_words(search.scope)}: {found.states:,} states, {found.depth} steps deep; {found.stands:,} ways for "
        f"a node to stand, {found.letters:,} messages, {found.quiet:,} states left to the calm; {new:,} states now in "
        f"{seconds:.1f} s ({new / max(seconds, 1e-9) * 3_600:,.0f} an hour)"
    )
    if found.broken is not None:
        print(f"broken: {found.broken}")
        for number, line in enumerate(trail, 1):
            print(f"{number:4}. {line}")
    elif found.closed:
        print("closed: every state was seen, and no rule is broken")
    else:
        print(f"not closed: {found.waiting:,} states wait to be looked at, and no rule is broken so far")
