"""Failures by their cause: what one mistake does to several checks and services is told once."""

from __future__ import annotations

from msgspec import Struct

from smoke.finding import Finding
from smoke.findingkind import kind
from smoke.judgment import Judgment

_ORDER = ("error", "critical", "warning")


class FailureStory(Struct, frozen=True):
    """One cause, with all that it fails; the first finding tells it."""

    findings: tuple[Finding, ...]
    kind: str
    """The worst of their kinds."""

    @property
    def told(self) -> Finding:
        """The finding that tells it."""
        return self.findings[0]

    @property
    def services(self) -> tuple[str, ...]:
        """The services that it is about, each once."""
        return tuple(dict.fromkeys(each.subject for each in self.findings if each.subject))

    @property
    def checks(self) -> tuple[str, ...]:
        """The checks that it fails, each once."""
        return tuple(dict.fromkeys(each.check for each in self.findings))


def stories(judgment: Judgment) -> list[FailureStory]:
    """The failures that count, worst first, in the order of their findings else. Two are one story when they stand at
    the same line, or say the same."""
    groups: dict[tuple[object, ...], list[Finding]] = {}
    keys: dict[tuple[object, ...], tuple[object, ...]] = {}
    for finding in judgment.of(*_ORDER):
        place = finding.evidence[0] if finding.evidence and finding.evidence[0].line else None
        own: list[tuple[object, ...]] = [("says", finding.check, finding.message)]
        if place is not None:
            own.insert(0, ("at", place.path, place.line))
        key = next((keys[each] for each in own if each in keys), own[0])
        for each in own:
            keys.setdefault(each, key)
        groups.setdefault(key, []).append(finding)
    made = []
    for found in groups.values():
        ranked = sorted(found, key=lambda each: _ORDER.index(kind(each)))
        made.append(FailureStory(tuple(ranked), kind(ranked[0])))
    return sorted(made, key=lambda each: _ORDER.index(each.kind))
