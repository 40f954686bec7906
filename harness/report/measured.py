"""What a metrics document holds, as the page draws it: absent and malformed parts are empty."""

from __future__ import annotations

from typing import Any

from harness.report import text
from harness.report.faults import DrawnFault


def section(metrics: dict[str, Any], name: str) -> dict[str, Any]:
    """A nested object of the document, empty when absent."""
    found = metrics.get(name)
    return found if isinstance(found, dict) else {}


def rows(metrics: dict[str, Any], name: str, fields: int) -> list[list[float]]:
    """The well-formed rows of a series: those whose first `fields` values are numbers."""
    found = section(metrics, "series").get(name) or []
    return [row[:fields] for row in found if len(row) >= fields and None not in map(text.number, row[:fields])]


def shares(metrics: dict[str, Any]) -> list[tuple[int, str, float, float]]:
    """(node's index, name, blocks led, ppm of all) by index."""
    found = section(metrics, "leaders").get("shares") or []
    return sorted((int(s["node"]), str(s.get("name", s["node"])), s["blocks"], s["ppm"]) for s in found)


def drawn_faults(metrics: dict[str, Any], end_ms: float) -> list[DrawnFault]:
    """The faults by time. One that nothing ends lasts to the end of the run."""
    listed = [fault for fault in metrics.get("faults") or [] if text.number(fault.get("at_ms")) is not None]
    found = []
    for fault in listed:
        at_ms, kind, what = fault["at_ms"], str(fault.get("kind", "")), str(fault.get("what", ""))
        until_ms = text.number(fault.get("until_ms"))
        until_ms = end_ms if until_ms is None else until_ms
        found.append(DrawnFault(at_ms, max(at_ms, until_ms), kind, what, _color(fault)))
    return sorted(found)


def _color(fault: dict[str, Any]) -> str:
    color = fault.get("colour")
    return str(color) if color in ("crash", "partition") else "disturbance"


def end_ms_of(metrics: dict[str, Any]) -> float:
    """The end of the run, or what happened last should the document disagree with itself."""
    times = [row[5] for row in rows(metrics, "chain", 8)] + [row[2] for row in rows(metrics, "skips", 3)]
    times += [row[3] for row in rows(metrics, "forks", 4)] + [row[0] for row in rows(metrics, "finality", 4)]
    return max([text.number(metrics.get("duration_ms")) or 0, *times])
