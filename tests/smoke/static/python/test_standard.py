"""The standard library by version of Python."""

from __future__ import annotations

import sys

import pytest

from smoke.static.python.standard import has_module, is_plain, lacks_name, meant


@pytest.mark.parametrize(
    ("name", "minor", "there"),
    [
        ("json", 8, True),
        ("tomllib", 10, False),
        ("tomllib", 11, True),
        ("distutils", 11, True),
        ("distutils", 12, False),
        ("asyncore", 12, False),
        ("imp", 11, True),
        ("zoneinfo", 8, False),
        ("graphlib", 9, True),
        ("symbol", 9, True),
        ("symbol", 10, False),
        ("dummy_threading", 8, True),
        ("dummy_threading", 9, False),
        ("macpath", 7, True),
        ("macpath", 8, False),
        ("requests", 12, False),
        ("os.path", 12, True),
        ("json.lost", 12, False),
    ],
)
def test_modules(name: str, minor: int, there: bool) -> None:
    assert has_module(name, (3, minor)) is there


def test_of_any_version_even_old_ones_count() -> None:
    assert all(has_module(name, None) for name in ("distutils", "asyncore", "macpath", "symbol", "dummy_threading"))
    assert not has_module("requests", None)


@pytest.mark.parametrize("name", ["asynchat", "asyncore", "binhex", "distutils", "imp", "smtpd", "cgi", "telnetlib"])
def test_what_went_since_the_table_begins_the_table_has(name: str) -> None:
    """What went before is listed beside it; no module is in both."""
    there = [has_module(name, (3, minor)) for minor in range(8, 16)]
    assert there[0] and not there[-1] and there == sorted(there, reverse=True)


@pytest.mark.parametrize(
    ("module", "name", "minor", "lacks"),
    [
        ("typing", "Self", 10, True),
        ("typing", "Self", 11, False),
        ("collections", "Mapping", 9, False),
        ("collections", "Mapping", 10, True),
        ("itertools", "pairwise", 9, True),
        ("itertools", "batched", 11, True),
        ("itertools", "batched", 12, False),
        ("os", "nothing", 12, True),
        ("os", "_private", 12, False),
        ("os", "*", 12, False),
        ("own", "nothing", 12, False),
        ("tomllib", "loads", 10, False),
    ],
)
def test_names(module: str, name: str, minor: int, lacks: bool) -> None:
    """Of a module that is not there, nothing is said of its names: one story is enough."""
    assert lacks_name(module, name, (3, minor)) is lacks


def test_the_hosts_own_modules_have_the_names_that_the_host_finds() -> None:
    """The table is of typeshed; the interpreter at hand is the judge."""
    version = (sys.version_info[0], sys.version_info[1])
    for module in ("json", "itertools", "typing", "collections", "asyncio", "contextlib", "dataclasses", "functools"):
        public = getattr(__import__(module), "__all__", None) or ()
        assert [name for name in public if lacks_name(module, name, version)] == []


def test_a_plain_module_has_nothing_below_it() -> None:
    assert is_plain("textwrap") and not is_plain("json") and not is_plain("os") and not is_plain("requests")


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("http.serve", "http.server"),
        ("unittest.mok", "unittest.mock"),
        ("http.server", ""),
        ("jsn.tool", ""),
        ("idlelib.idle", ""),
        ("flask.cli", ""),
        ("http", ""),
    ],
)
def test_what_is_meant_by_a_name_that_the_library_nearly_has(name: str, other: str) -> None:
    assert meant(name) == other
