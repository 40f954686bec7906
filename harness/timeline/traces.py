"""Stories from traces of simulated runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.parting import TraceError, events
from harness.timeline.story import GOES_DOWN, STARTS, BrokenInvariant, Story


def story_of_trace(path: Path) -> Story:
    """What a trace tells, or the one in a run's folder; raises `TraceError`."""
    story = Story(path.resolve().name if path.is_dir() else path.resolve().parent.name)
    places: dict[int, int] = {}
    began: dict[int, dict[str, Any]] = {}
    for line in events(path):
        try:
            _take(story, line, places, began)
        except (KeyError, TypeError, ValueError) as error:
            raise TraceError(f"{path} has a line that is none of a trace: {line} ({error!r})") from None
    for line in began.values():
        story.fault(line["at_us"], None, _text(line), _color(line))
    return story


def _take(story: Story, line: dict[str, Any], places: dict[int, int], began: dict[int, dict[str, Any]]) -> None:
    """Add a line of a trace. `places` are those of messages by number, `began` the faults that are on."""
    at_us = line["at_us"]
    if "deliver" in line:
        if (message := places.get(line["message"])) is not None:
            story.got(at_us, line["deliver"], message)
    elif "send" in line:
        places[line["message"]] = story.sent(at_us, line["send"], line["kind"], line["bytes"])
    elif "fact" in line:
        story.fact(at_us, line["node"], line["fact"], line)
    elif "power" in line:
        story.mark(at_us, line["power"], STARTS if line["up"] else GOES_DOWN)
    elif "fault" in line:
        if line["fault"].partition(":")[0].endswith(" ends"):
            first = began.pop(line["place"], line)
            story.fault(first["at_us"], at_us, _text(first), _color(line))
        else:
            began[line["place"]] = line
    elif "broken" in line:
        story.broken.append(BrokenInvariant(at=at_us, text=line["broken"]))
    elif "nodes" in line:
        story.lanes = list(line["nodes"])
    elif "trace" not in line:
        raise ValueError("no such line")


def _color(line: dict[str, Any]) -> str:
    """By either key: earlier releases wrote `colour`."""
    color: str = line["color"] if "color" in line else line["colour"]
    return color


def _text(line: dict[str, Any]) -> str:
    kind, _, rest = line["fault"].partition(":")
    return f"{kind.removesuffix(' begins').removesuffix(' ends')}:{rest}"
