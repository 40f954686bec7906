"""Reports that `lucid smoke` writes: which are asked for, and where each goes."""

from __future__ import annotations

import argparse
import os
import sys
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


FORMAT_NAMES = ("github", "job", "json", "junit", "markdown", "sarif", "tap", "text")


def report_options(command: argparse.ArgumentParser) -> None:
    """Which reports are written, and how strictly."""
    command.add_argument(
        "--report",
        action="append",
        default=[],
        metavar="FORMAT[=FILE]",
        help=f"write a report too, several if given again; FORMAT is one of {', '.join(FORMAT_NAMES)}, "
        "FILE - or left out is standard output",
    )
    command.add_argument(
        "--profile", choices=["step12"], help="demands beyond that containers start: distroless, 65532, arm64, ..."
    )
    command.add_argument("--strict", action="store_true", help="an inconclusive check counts as failed")
    command.add_argument("--json", action="store_true", help="print JSON, the same as --report json")


def wanted_reports(reports: list[str]) -> list[tuple[str, Path | None]]:
    """Each format and where it goes; None is standard output, which only one can have."""
    wanted = []
    for report in reports:
        name, _, file = report.partition("=")
        if name not in FORMAT_NAMES:
            raise Failure(f"--report: {name!r} must be one of {', '.join(FORMAT_NAMES)}")
        wanted.append((name, Path(file) if file not in ("", "-") else None))
    shown = [name for name, file in wanted if file is None]
    if len(shown) > 1:
        raise Failure(f"--report: {' and '.join(shown)} would both go to standard output: name a FILE")
    return wanted


def write_reports(judgment: Judgment, wanted: list[tuple[str, Path | None]]) -> None:
    """Each where it is to go; on standard output there is one at least."""
    from smoke.reports import FORMATS

    for name, file in wanted:
        text = FORMATS[name](judgment)
        if file is None:
            sys.stdout.write(text)
        else:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
    if all(file is not None for _, file in wanted):
        sys.stdout.write(FORMATS["text"](judgment))
    page = os.environ.get("GITHUB_STEP_SUMMARY")
    if page and any(name == "github" for name, _ in wanted):
        with Path(page).open("a", encoding="utf-8") as summary:
            summary.write(FORMATS["job"](judgment))
