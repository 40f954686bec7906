"""The report of a comparison: well-formed, self-contained, nothing outside its picture, and plain on what is sure."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from harness.compare import MeasureDifference
from harness.measures import MEASURES
from harness.report.differences import DRAWN, page, row
from harness.report.text import NONE
from tests.harness.reported import HOSTILE, parsed, words_of

SLOWER = MeasureDifference("4 5%", "finality p50", 300.0, 1_234.0, 3.1, 3.1, True, 2.9, 3.3)
UNSURE = MeasureDifference("4 5%", "bytes per node per block", 2_048.0, 2_560.0, 0.25, 0.25, False, -0.1, 0.6)
MORE = MeasureDifference("4 5%", "final blocks", 100.0, 120.0, 0.2, -0.2, True, 0.2, 0.2)
RUN = MeasureDifference("", "leader Gini", 0.0, 0.5, float("inf"), float("inf"), True)

changes = st.floats(-3, 9)
differences = st.builds(
    lambda cell, measure, change, sure, interval: MeasureDifference(
        cell, measure.name, 1.0, 1 + change, change, change, sure, *interval
    ),
    st.sampled_from(["", "4 5%", HOSTILE]),
    st.sampled_from(MEASURES),
    st.one_of(changes, st.just(float("inf"))),
    st.booleans(),
    st.one_of(st.just((None, None)), st.tuples(changes, changes).map(lambda ends: (min(ends), max(ends)))),
)


def test_a_difference_is_told_in_units_with_its_interval() -> None:
    assert row(SLOWER, 0.1) == ("4 5%", "finality p50", "300 ms", "1.23 s", "+310.0%", "+290.0% to +330.0%", "worse")
    assert row(UNSURE, 0.1)[2:] == ("2 KiB", "2.5 KiB", "+25.0%", "-10.0% to +60.0%", "?")
    assert row(MORE, 0.1)[-1] == "better" and row(MORE, 0.3)[-1] == ""
    assert row(RUN, 0.1)[-2:] == (NONE, "worse")


def test_the_page_says_how_many_are_worse() -> None:
    words = words_of(page("a and b", [SLOWER, UNSURE, MORE], 0.1))
    assert "1 of 3 figures are worse by more than 10%" in words and "1.23 s" in words


@given(st.lists(differences, max_size=DRAWN + 5))
def test_any_differences_are_a_page_that_needs_nothing_else(found: list[MeasureDifference]) -> None:
    html = page(HOSTILE, found, 0.1)
    assert not re.search(r"@import|url\(", html)
    assert [tag for tag, _ in parsed(html).elements].count("tr") == len(found) + 1
    for drawn in ElementTree.fromstring(html.encode()).iter("svg"):
        _, _, width, height = map(float, drawn.attrib["viewBox"].split())
        for shape in drawn.iter():
            assert "nan" not in "".join(shape.attrib.values())
            for name, limit in (("cx", width), ("x1", width), ("x2", width), ("cy", height), ("y1", height)):
                assert 0 <= float(shape.get(name) or 0) <= limit
