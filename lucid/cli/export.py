"""`lucid sim export`: a run, or journals, as a timeline to look at or as a file for Perfetto."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from lucid.cli.failure import Failure


def register(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `lucid sim export`."""
    export = actions.add_parser(
        "export",
        help="write a run as a timeline, or for Perfetto",
        description="Write what happened in a run, or what journals of nodes hold, as a page with a timeline that a "
        "browser opens without a network, or as JSON for ui.perfetto.dev.",
        epilog="Exit status: 0 written, 2 bad usage.",
    )
    export.add_argument(
        "source", type=Path, nargs="+", metavar="RUN", help="folder of a run, its trace.jsonl.zst, or journals of nodes"
    )
    export.add_argument("--perfetto", action="store_true", help="JSON for ui.perfetto.dev rather than a page")
    export.add_argument("--out", type=Path, metavar="FILE", help="default: timeline.html, or perfetto.json, beside it")
    export.add_argument("--json", action="store_true", help="print what was written as JSON")
    export.set_defaults(run=run_export)


def run_export(options: argparse.Namespace) -> int:
    """`lucid sim export`."""
    from harness.parting import TraceError
    from harness.timeline.journals import story_of_journals
    from harness.timeline.page import render
    from harness.timeline.perfetto import write_perfetto
    from harness.timeline.traces import story_of_trace
    from lucid.storage.journal import JournalError

    sources: list[Path] = options.source
    for path in sources:
        if not path.exists():
            raise Failure(f"there is no {path}")
    journals = _journals(sources)
    if not journals and len(sources) > 1:
        raise Failure("one run at a time; only journals may be several")
    try:
        story = story_of_journals(journals) if journals else story_of_trace(sources[0])
    except (TraceError, JournalError) as error:
        raise Failure(str(error)) from None
    beside = sources[0] if sources[0].is_dir() else sources[0].parent
    out: Path = options.out or beside / ("perfetto.json" if options.perfetto else "timeline.html")
    try:
        if options.perfetto:
            write_perfetto(story, out)
        else:
            out.write_text(render(story), "utf-8")
    except OSError as error:
        raise Failure(f"{out}: {error.strerror}") from None
    if options.json:
        print(json.dumps({"out": str(out), "events": story.events, "nodes": len(story.lanes), "end_us": story.end_us}))
    else:
        print(f"{out}: {story.events:,} events of {len(story.lanes)} nodes")
    return 0


def _journals(sources: list[Path]) -> list[Path]:
    """The journals that are meant: files of that name, or those of folders without a trace."""
    found: list[Path] = []
    for path in sources:
        if path.is_dir() and not (path / "trace.jsonl.zst").exists():
            found += sorted(path.rglob("*.journal"))
        elif path.suffix == ".journal":
            found.append(path)
    return found
