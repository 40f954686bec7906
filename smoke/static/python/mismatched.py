"""Pairs of distributions that do not go together: the older one takes what the newer one no longer has."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from smoke.static.python import distributions as table
from smoke.static.python.conditions import Version as PythonVersion
from smoke.static.python.installed import Installed
from smoke.static.python.requirements import at_least


class Pair(Struct, frozen=True):
    """Two distributions of which the older one takes what the newer one no longer has."""

    older: str
    versions: str
    """Those of the older one that do, as a specifier."""
    newer: str
    since: str
    python: PythonVersion
    module: str
    """What loads the older one."""
    taken: str


PAIRS = (
    Pair(
        older="flask",
        versions=">=2.0,<2.2.3",
        newer="werkzeug",
        since="3.0",
        python=(3, 8),
        module="flask",
        taken="url_quote of werkzeug.urls",
    ),
    Pair(
        older="flask",
        versions="<2.0",
        newer="jinja2",
        since="3.1",
        python=(3, 7),
        module="flask",
        taken="escape of jinja2",
    ),
    Pair(
        older="flask-login",
        versions="<0.6.3",
        newer="werkzeug",
        since="3.0",
        python=(3, 8),
        module="flask_login",
        taken="url_decode of werkzeug.urls",
    ),
    Pair(
        older="pandas",
        versions="<2.1",
        newer="numpy",
        since="2.0",
        python=(3, 9),
        module="pandas",
        taken="the binary interface of numpy 1",
    ),
)


def mismatched(
    installed: Installed, modules: set[str], version: PythonVersion | None, *, bounded: bool
) -> Iterator[Pair]:
    """Pairs of which the older one is pinned and nothing holds the newer one back; `modules` are those loaded."""
    if not any(brought.asked for brought in installed.each):
        return
    from packaging.specifiers import SpecifierSet  # noqa: PLC0415 - it takes its time to load

    for pair in PAIRS:
        if bounded or version is None or version < pair.python or pair.module not in modules:
            continue
        for brought in installed.each:
            asked = brought.asked.get(pair.older)
            if asked is None or not asked.version or brought.doubts or brought.whole:
                continue
            if pair.newer in brought.asked:
                held = brought.asked[pair.newer].version
                if held and at_least(held, pair.since) and SpecifierSet(pair.versions).contains(asked.version):
                    yield pair
                continue
            known = all(table.needs(name) is not None for name in brought.asked)
            others = any(pair.newer in other.asked for other in installed.each)
            if known and not others and SpecifierSet(pair.versions).contains(asked.version):
                yield pair
