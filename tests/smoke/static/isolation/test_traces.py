"""What a scan is made of: records that can be told apart, and counts that begin at nothing."""

from __future__ import annotations

import pytest

from smoke.static.isolation.traces import IsolationTrace, Scan, TracePlace, What


def test_two_scans_share_nothing() -> None:
    """One process judges many trees: what was found in one must not be in the next."""
    first, second = Scan(), Scan()
    first.traces.append(IsolationTrace(What.WORD, TracePlace.STRING, "a.py", 1, "word"))
    first.cut.append("b")
    first.overfull["c"] = 3
    assert (second.traces, second.cut, second.overfull) == ([], [], {})
    assert (second.read, second.binary, second.excluded) == (0, 0, 0)


def test_a_trace_is_what_and_where_and_stays_so() -> None:
    """The same word in a comment and in a string of one line is two traces."""
    trace = IsolationTrace(What.WORD, TracePlace.STRING, "a.py", 1, "word")
    assert trace == IsolationTrace(What.WORD, TracePlace.STRING, "a.py", 1, "word")
    assert len({trace, IsolationTrace(What.WORD, TracePlace.COMMENT, "a.py", 1, "word")}) == 2
    assert not trace.prose and not trace.note, "only what is told is held against it"
    with pytest.raises(AttributeError, match="immutable"):
        trace.line = 2  # type: ignore[misc]


def test_places_and_sorts_are_words_of_their_own() -> None:
    assert not {*TracePlace} & {*What} and all(each.isalpha() and each.islower() for each in (*TracePlace, *What))
