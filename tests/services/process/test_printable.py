"""Log records as lines: whatever from outside is in one, no line of it passes for another record."""

from __future__ import annotations

import logging
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucid.services.process.printable import PrintableFormatter

FORMAT = "%(levelname)s %(name)s: %(message)s"
HOSTILE = st.text() | st.sampled_from(
    ["a\nERROR lucid: all is lost", "\x1b[2J", "\r\n", "\u2028", "\u202e", "%s", "\0"]
)


def shown(message: str, *arguments: object, error: BaseException | None = None) -> str:
    """A record as it is written."""
    told = None if error is None else (type(error), error, error.__traceback__)
    record = logging.LogRecord("lucid.test", logging.WARNING, __file__, 1, message, arguments, told)
    return PrintableFormatter(FORMAT).format(record)


@given(HOSTILE)
def test_whatever_is_in_a_record_it_is_one_line_of_text(said: str) -> None:
    line = shown("peer %s", said)
    assert line.isprintable() and line.startswith("WARNING lucid.test: peer ")
    if said.isprintable():
        assert line.endswith(said), "what prints is left as it is"


@given(HOSTILE, HOSTILE)
def test_no_line_of_a_traceback_passes_for_a_record(said: str, cause: str) -> None:
    try:
        try:
            raise OSError(cause)
        except OSError as first:
            raise ValueError(said) from first
    except ValueError as error:
        head, *rest = shown("failed", error=error).split("\n")
    assert head == "WARNING lucid.test: failed"
    assert any("OSError" in line for line in rest) and any("ValueError" in line for line in rest)
    assert all(line.startswith("    ") and line.isprintable() for line in rest)


def test_a_time_is_in_it_where_the_format_wants_one_and_a_group_is_told_whole() -> None:
    record = logging.LogRecord("n", logging.INFO, __file__, 1, "x", (), None)
    record.created = record.msecs = 0.0
    formatter = PrintableFormatter("%(asctime)s %(message)s")
    formatter.converter = time.gmtime
    assert formatter.format(record) == "1970-01-01 00:00:00,000 x"
    told = shown("x", error=ExceptionGroup("two", [ValueError("one"), KeyError("other")]))
    assert "one" in told and "other" in told


def test_it_is_what_a_handler_writes(capsys: pytest.CaptureFixture[str]) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(PrintableFormatter(FORMAT))
    handler.handle(logging.LogRecord("n", logging.INFO, __file__, 1, "%s", ("\ud800\n",), None))
    assert capsys.readouterr().err == "INFO n: \\ud800\\n\n", "also what no encoding has"
