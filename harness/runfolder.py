"""The folder of a run: scenario, figures, pages, and where journals go."""

from __future__ import annotations

import json
from pathlib import Path

from harness.report.page import render
from harness.result import RunResult
from harness.timeline.page import render as timeline
from harness.timeline.traces import story_of_trace
from sim.scenario import Scenario
from sim.scenariofile import dump


def begin_folder(scenario: Scenario, folder: Path, journals: bool) -> Path | None:
    """Make the folder, with the scenario in it; returns where journals go, if they are kept."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "scenario.toml").write_text(dump(scenario), "utf-8")
    if not journals:
        return None
    journal_folder = folder / "journals"
    journal_folder.mkdir(exist_ok=True)
    return journal_folder


def write_folder(result: RunResult, folder: Path, traced: bool) -> None:
    """The figures, and the pages for a person."""
    (folder / "metrics.json").write_text(json.dumps(result.document(), indent=1) + "\n", "utf-8")
    if traced:
        (folder / "timeline.html").write_text(timeline(story_of_trace(folder)), "utf-8")
    (folder / "report.html").write_text(render(result, timeline=traced), "utf-8")
