"""`tron.*`: nothing of the TRON network is in the tree, each trace judged by where it stands."""

from __future__ import annotations

from collections.abc import Iterator

from smoke.check import Check
from smoke.finding import Evidence, Finding, Severity, excerpt
from smoke.manifest import Isolation
from smoke.manifestfile import FILE_NAME
from smoke.static.isolation.traces import IsolationTrace, Scan, TracePlace, What
from smoke.static.scope import Scope

MAX_EVIDENCE = 10
MAX_FINDINGS = 2_000
"""Findings of one check beyond this many are counted in a last one."""

_RUNS = "The container carries code of the payment network, and with it its keys, its hosts and its duties."
_LINKED = "What is installed with it runs in the container, whether anything imports it or not."


def _check(name: str, severity: Severity, title: str, why: str, remedy: str) -> Check:
    return Check(f"tron.{name}", severity, title, why, remedy)


IDENTIFIERS = _check(
    "identifiers",
    Severity.CRITICAL,
    "no identifier of the code names TRON",
    _RUNS,
    "Move the code to the payment service, or rename what only shares the name.",
)
IMPORTS = _check(
    "imports", Severity.CRITICAL, "nothing imports a TRON package", _RUNS, "Remove the import and what uses it."
)
STRINGS = _check(
    "strings",
    Severity.CRITICAL,
    "no string of the code names TRON",
    "Strings become URLs, asset names and module names when the container runs.",
    "Remove the string, or except it in the manifest with the reason.",
)
COMMENTS = _check(
    "comments",
    Severity.WARNING,
    "no comment of the code names TRON",
    "Nothing runs a comment, but it tells of a link that should not be there.",
    "Reword the comment, or except it in the manifest with the reason.",
)
DEPENDENCIES = _check(
    "dependencies",
    Severity.CRITICAL,
    "no dependency is a TRON package",
    _LINKED,
    "Remove it from the requirement and lock files.",
)
CONFIGURATION = _check(
    "configuration",
    Severity.CRITICAL,
    "no configuration names TRON",
    "Settings reach the container as environment or files and switch the link on.",
    "Remove the setting, or move it to the payment service.",
)
HOSTS = _check(
    "hosts",
    Severity.CRITICAL,
    "no host or URL is TRON's",
    "The container would talk to the payment network.",
    "Remove the address of the host.",
)
ADDRESSES = _check(
    "addresses",
    Severity.CRITICAL,
    "no TRON wallet or contract address",
    "Funds or a contract of the payment network are addressed from this container.",
    "Remove the address; its checksum is right, so it is not a chance string.",
)
NAMES = _check(
    "names",
    Severity.CRITICAL,
    "no file or directory is named after TRON",
    _RUNS,
    "Move or rename the file.",
)
PROSE = _check(
    "prose", Severity.INFO, "documents do not name TRON", "Nothing runs prose.", "Nothing has to be done about it."
)
COVERAGE = _check(
    "coverage",
    Severity.WARNING,
    "every file was read to its end",
    "What was not read may hold anything.",
    "Exclude what is not part of the tree, or make the file smaller.",
)

CHECKS: tuple[Check, ...] = (
    IDENTIFIERS,
    IMPORTS,
    STRINGS,
    COMMENTS,
    DEPENDENCIES,
    CONFIGURATION,
    HOSTS,
    ADDRESSES,
    NAMES,
    PROSE,
    COVERAGE,
)

_OF_WORDS = {
    TracePlace.IDENTIFIER: IDENTIFIERS,
    TracePlace.IMPORT: IMPORTS,
    TracePlace.STRING: STRINGS,
    TracePlace.COMMENT: COMMENTS,
    TracePlace.DEPENDENCY: DEPENDENCIES,
    TracePlace.CONFIGURATION: CONFIGURATION,
    TracePlace.PROSE: PROSE,
    TracePlace.NAME: NAMES,
}
_SOFTER = {TracePlace.COMMENT: Severity.WARNING, TracePlace.PROSE: Severity.INFO}


def run(scope: Scope) -> Iterator[Finding]:
    """The findings of the whole tree: it is one, whichever service a file belongs to."""
    if not scope.manifest.policy.isolation:
        return  # reading every file of a tree is most of a run's time: only where it is asked for
    from smoke.static.isolation.scan import scan  # noqa: PLC0415 - loaded only then, too

    isolation = scope.manifest.isolation or Isolation()
    # The manifest names what it excepts; it is not part of what runs.
    result = scan(scope.tree, isolation.words, (*isolation.exclude, FILE_NAME))
    groups: dict[Check, dict[tuple[str, str], list[IsolationTrace]]] = {check: {} for check in CHECKS}
    for trace in result.traces:
        groups[_check_of(trace)].setdefault((trace.path, trace.text.lower()), []).append(trace)
    for check in CHECKS[:-1]:
        if groups[check]:
            yield from _failures(check, list(groups[check].values()))
        else:
            yield check.passed(_looked(result))
    yield from _coverage(scope, result)


def _check_of(trace: IsolationTrace) -> Check:
    if trace.what is What.HOST:
        return HOSTS
    if trace.what is What.ADDRESS:
        return ADDRESSES
    return _OF_WORDS[trace.place]


def _failures(check: Check, groups: list[list[IsolationTrace]]) -> Iterator[Finding]:
    for traces in groups[:MAX_FINDINGS]:
        # The same word in code and in a comment of one file: the code decides.
        yield check.fail(
            _message(traces),
            evidence=[Evidence(trace.path, trace.line, trace.excerpt) for trace in traces[:MAX_EVIDENCE]],
            severity=min((_severity(check, trace) for trace in traces), key=list(Severity).index),
        )
    if len(groups) > MAX_FINDINGS:
        yield check.fail(f"{len(groups) - MAX_FINDINGS} more traces are not listed")


def _message(traces: list[IsolationTrace]) -> str:
    first = traces[0]
    times = f" {len(traces)} times" if len(traces) > 1 else ""
    text = excerpt(first.text)
    if first.place is TracePlace.NAME:
        return f"{first.path} is named {text}"
    note = f", {first.note}," if first.note else ""
    return f"{text}{note} is in {first.path}{times}"


def _severity(check: Check, trace: IsolationTrace) -> Severity:
    if trace.prose:
        return Severity.INFO
    return _SOFTER.get(trace.place, check.severity)


def _looked(result: Scan) -> str:
    binary = f"; {result.binary} that are not text were searched for addresses only" if result.binary else ""
    excluded = f"; {result.excluded} are excluded by the manifest" if result.excluded else ""
    return f"no trace in {result.read} files{binary}{excluded}"


def _coverage(scope: Scope, result: Scan) -> Iterator[Finding]:
    for path in result.cut:
        yield COVERAGE.skip(
            f"only the beginning of {path} was read: it has {scope.tree.sizes[path]} bytes", evidence=[Evidence(path)]
        )
    for path, more in sorted(result.overfull.items()):
        yield COVERAGE.skip(f"{path} has {more} more traces than are listed", evidence=[Evidence(path)])
    if not result.cut and not result.overfull:
        yield COVERAGE.passed(f"{result.read} files were read to their end")
