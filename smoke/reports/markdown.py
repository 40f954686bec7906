"""The Markdown report, in the shape of the one that a person wrote by hand."""

from __future__ import annotations

import re
from collections.abc import Iterable

from smoke.finding import Finding
from smoke.findingkind import kind, place
from smoke.judgment import Judgment
from smoke.reports.terminal import summary

_VERDICTS = (
    "**Go on:** nothing critical failed.",
    "**Do not build or deploy** this tree until the critical failures are gone.",
    "**Nothing can be concluded:** the harness could not do its work.",
)


def write(judgment: Judgment) -> str:
    """The report as Markdown."""
    parts = [
        f"# Smoke test of {plain(judgment.title)}",
        "## Executive summary",
        summary(judgment),
        _VERDICTS[judgment.status],
        "## Test scope",
        _list(f"service {plain(name)}" for name in judgment.services) or "No service was found.",
        "## Passed",
        _list(_line(each) for each in judgment.of("passed", "excused")) or "Nothing.",
        "## Critical failures",
        _details(judgment.of("error", "critical")) or "None.",
        "## Detailed analysis",
        _details(judgment.of("warning", "info")) or "No warnings.",
        "### Inconclusive",
        _list(_line(each) for each in judgment.of("skipped")) or "Every check could be made.",
    ]
    if judgment.literal:
        rows = [
            f"| `{count.command.replace('|', chr(92) + '|')}` | {count.lines} | {count.files} |"
            for count in judgment.literal
        ]
        parts += ["### Plain greps", "\n".join(["| command | lines | files |", "|---|---|---|", *rows])]
    remedies = dict.fromkeys(each.remedy for each in judgment.of("error", "critical", "warning") if each.remedy)
    parts += ["## Recommendations", _list(plain(remedy) for remedy in remedies) or "None.", "## Risk assessment"]
    parts += [f"### {level}\n\n{_risks(judgment, *names)}" for level, names in _RISKS.items()]
    parts += ["## Next steps", _next(judgment)]
    return "\n\n".join(parts) + "\n"


_RISKS = {"High": ("error", "critical"), "Medium": ("warning", "skipped"), "Low": ("info", "excused")}


def _risks(judgment: Judgment, *names: str) -> str:
    found = judgment.of(*names)
    tally = dict.fromkeys(each.check for each in found)
    return _list(f"{check}: {sum(each.check == check for each in found)}" for check in tally) or "None."


def _next(judgment: Judgment) -> str:
    if judgment.status == 0:
        return "Build the images, then `lucid smoke image` and `lucid smoke live`."
    return "Mend what failed, then run `lucid smoke static` again."


def _details(findings: list[Finding]) -> str:
    return "\n\n".join(_detail(number, finding) for number, finding in enumerate(findings, 1))


def _detail(number: int, finding: Finding) -> str:
    lines = [f"### {number}. {_line(finding)}", ""]
    lines += [
        f"- at {_code(f'{each.path}:{each.line}' if each.line else each.path)}: {_code(each.excerpt)}"
        for each in finding.evidence
    ]
    lines += [f"- {label}: {plain(text)}" for label, text in (("why", finding.why), ("do", finding.remedy)) if text]
    return "\n".join(lines)


def _line(finding: Finding) -> str:
    about = f" ({finding.subject})" if finding.subject else ""
    where = f" [{place(finding)}]" if kind(finding) == "skipped" and place(finding) else ""
    excused = f" (excused: {finding.excused})" if finding.excused else ""
    return plain(f"{finding.check}{about}: {finding.message}{where}{excused}")


def _list(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def plain(text: str) -> str:
    """A text on one line that Markdown shows as it is: nothing in it is a mark, a tag or the end of a cell."""
    return re.sub(r"([\\`*_~&\[\]<>|#])", r"\\\1", " ".join(text.split()))


def _code(excerpt: str) -> str:
    text = " ".join(excerpt.split())
    ticks = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    return f"{ticks} {text} {ticks}" if text else "(the file)"
