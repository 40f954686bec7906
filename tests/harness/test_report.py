"""Holds `report.html` to what it promises: well-formed, self-contained, bounded in size and time, honest about a run.

The metrics are made up (`tests.harness.reported`), so that every shape of run is at hand without running one.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.report import svg, text
from harness.report.colors import COLORS
from harness.report.faults import DrawnFault, drawn_faults
from harness.report.page import render
from harness.result import ResultError, RunResult, read_result
from lucid.chain.errors import Code
from sim.figures import FIGURES_VERSION
from tests.effort import no_hang
from tests.harness.reported import (
    HOSTILE,
    RUNS,
    STORM,
    fake_metrics,
    fault,
    page_of,
    parsed,
    words_of,
)


@pytest.fixture(scope="module", params=RUNS)
def run(request: pytest.FixtureRequest) -> tuple[dict[str, Any], str]:
    metrics = RUNS[request.param]
    return metrics, page_of(metrics)


def test_page_parses_as_html_and_as_xml(run: tuple[dict[str, Any], str]) -> None:
    page = parsed(run[1])
    assert [tag for tag, _ in page.elements].count("h1") == 1
    names = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
    assert len(names) == len(set(names))


def test_page_refers_to_nothing_outside_itself(run: tuple[dict[str, Any], str]) -> None:
    metrics, html = run
    assert not re.search(r"(https?:)?//\w|@import|url\(", html)
    for tag, attrs in parsed(html).elements:
        assert tag not in {"iframe", "img", "object", "embed", "base", "form", "a", "use", "image"}
        assert "src" not in attrs
        assert attrs.get("href", "data:,") == "data:,"
    assert page_of(json.loads(json.dumps(metrics))) == html


def test_every_picture_has_a_title_and_a_description(run: tuple[dict[str, Any], str]) -> None:
    page = parsed(run[1])
    names = {attrs.get("id") for _, attrs in page.elements}
    pictures = [attrs for tag, attrs in page.elements if tag == "svg" and attrs.get("aria-hidden") != "true"]
    assert len(pictures) == (5 if run[0]["blocks"]["final"] else 0)
    for attrs in pictures:
        assert attrs["role"] == "img"
        assert {attrs["aria-labelledby"], attrs["aria-describedby"]} <= names


def test_nothing_is_drawn_outside_its_picture(run: tuple[dict[str, Any], str]) -> None:
    for drawn in ElementTree.fromstring(run[1].encode()).iter("svg"):
        _, _, width, height = map(float, drawn.attrib["viewBox"].split())
        for shape in drawn.iter():
            assert "nan" not in "".join(shape.attrib.values())
            for name, extent, limit in (("x", "width", width), ("y", "height", height)):
                start = float(shape.get(name) or shape.get(f"c{name}") or 0)
                assert 0 <= start <= start + float(shape.get(extent) or 0) <= limit + 0.6


def test_the_policy_lets_the_pages_own_script_run(run: tuple[dict[str, Any], str]) -> None:
    page = ElementTree.fromstring(run[1].encode())
    [policy] = [meta.attrib["content"] for meta in page.iter("meta") if meta.get("http-equiv")]
    [script] = [element.text or "" for element in page.iter("script")]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy.startswith("default-src 'none';") and f"script-src 'sha256-{digest}'" in policy


def test_a_day_on_a_hundred_nodes_stays_small_and_does_not_hang() -> None:
    with no_hang():
        page = page_of(RUNS["a day"])
    assert len(page.encode()) < 1_500_000


@pytest.mark.parametrize("verdict", ["pass", "no_progress", "diverged"])
def test_verdict_is_said_and_colored(verdict: str) -> None:
    metrics = fake_metrics(4, 6, verdict=verdict)
    page = page_of(metrics)
    assert verdict.upper().replace("_", " ") in parsed(page).words
    assert metrics["reason"] in words_of(page)
    assert f"--verdict:var(--{verdict})" in page


def test_header_holds_what_repeats_and_identifies_the_run() -> None:
    metrics = RUNS["default"]
    words = parsed(page_of(metrics)).words
    assert {metrics[key] for key in ("scenario", "command", "trace_hash", "state_root", "chain_id")} <= set(words)


def test_figures_on_the_page_are_those_of_the_document() -> None:
    metrics = fake_metrics()
    metrics |= {"missed_views": 17, "timeouts": 1_234, "finality_ratio": 1.0349}
    metrics["speed"]["events_per_second"] = 151_234
    metrics["finality_ms"] |= {"p50": 231.0, "p90": 1_250.0, "p99": 61_000.0, "max": 5_400_000.0}
    metrics["leaders"]["gini"] = 0.0214
    words = words_of(page_of(metrics))
    for figure in ("17", "1 234 timeouts", "1.03", "151 234", "0.021", "231 ms", "p90 1.25 s", "max 1 h 30 min"):
        assert figure in words


def test_a_run_without_blocks_says_so() -> None:
    words = words_of(page_of(RUNS["no block"]))
    assert "No block became final in this run." in words
    assert words.count("Nothing to show.") == 5


@pytest.mark.parametrize("key", sorted({"version", *RUNS["storm"]}))
def test_a_page_is_made_of_whole_results_alone(tmp_path: Path, key: str) -> None:
    """What a report of a part would leave out in silence is missing where the figures are read."""
    document = {"version": FIGURES_VERSION, **RUNS["storm"]}
    path = tmp_path / "metrics.json"
    path.write_text(json.dumps(document))
    assert page_of(document) == render(read_result(tmp_path))
    path.write_text(json.dumps({name: value for name, value in document.items() if name != key}))
    with pytest.raises(ResultError, match=f"`{key}`|version 1 of the figures"):
        read_result(tmp_path)


def test_results_of_earlier_releases_are_read(tmp_path: Path) -> None:
    """They have another key for the color of a fault."""
    document = {"version": FIGURES_VERSION, **RUNS["storm"]}
    old = [{**{k: v for k, v in each.items() if k != "color"}, "colour": each["color"]} for each in document["faults"]]
    assert old
    (tmp_path / "metrics.json").write_text(json.dumps({**document, "faults": old}))
    assert render(read_result(tmp_path)) == page_of(document)


def planted(value: Any) -> Any:
    """The document with every string in it made hostile that is one of no few, and the keys of `refusals` too."""
    if isinstance(value, dict):
        kept = ("verdict", "lane", "color")
        return {k: {HOSTILE: 3} if k == "refusals" else v if k in kept else planted(v) for k, v in value.items()}
    if isinstance(value, list):
        return [planted(v) for v in value]
    return HOSTILE if isinstance(value, str) else value


def test_hostile_strings_stay_text() -> None:
    page = page_of(planted(RUNS["storm"]))
    reader = parsed(page)
    assert [tag for tag, _ in reader.elements].count("script") == 1
    assert not any(name.startswith("on") for _, attrs in reader.elements for name in attrs)
    assert "節點 🐢" in "".join(reader.words)
    assert not re.search("[\x00\u202e\ud800]", page)


@given(st.text())
def test_escaped_text_is_one_text_node_and_one_attribute(words: str) -> None:
    safe = text.escape(words)
    element = ElementTree.fromstring(f'<a b="{safe}">{safe}</a>')
    assert len(element) == 0
    assert element.attrib["b"] == (element.text or "")
    assert len(element.attrib["b"]) == len(words)


@settings(max_examples=25, deadline=None)
@given(nodes=st.integers(1, 120), blocks=st.integers(0, 900), delay_ms=st.floats(0.01, 20_000))
def test_any_size_of_run_renders(nodes: int, blocks: int, delay_ms: float) -> None:
    parsed(page_of(fake_metrics(nodes, blocks, delay_ms=delay_ms, epoch_views=7)))


def picture(page: str, name: str) -> ElementTree.Element:
    drawn = ElementTree.fromstring(page.encode()).iter("svg")
    return next(svg for svg in drawn if svg.get("aria-labelledby") == f"{name}-title")


def marks(page: str, name: str, kind: str) -> list[ElementTree.Element]:
    return [shape for shape in picture(page, name).iter() if shape.get("class") == kind]


def test_few_blocks_are_drawn_each_and_many_are_binned() -> None:
    few, many = page_of(RUNS["default"]), page_of(RUNS["a day"])
    assert len(marks(few, "chain", "tx")) + len(marks(few, "chain", "blank")) == 360
    assert len(marks(many, "chain", "hit")) < 400
    assert not marks(many, "chain", "tx")
    assert {shape.get("class") for shape in picture(many, "chain").iter("path")} >= {"heat1", "heat2"}
    assert len(marks(few, "finality", "point")) == 360
    assert marks(many, "finality", "band") and not marks(many, "finality", "point")


def test_skips_and_forks_are_ticks_at_their_time() -> None:
    metrics = fake_metrics(4, 6)
    half = (metrics["duration_ms"] + 1) // 2
    metrics["series"] |= {"skips": [[0, 3, half]], "forks": [[0, 4, 5, half]]}
    page = page_of(metrics)
    for kind in ("skip", "fork"):
        [tick] = marks(page, "chain", kind)
        assert abs(float(tick.attrib["x"]) - (104 + 1106) / 2) < 3
        assert "view " in tick.attrib["data-tip"]
    assert len(marks(page, "chain", "forklink")) == 1


def test_a_crash_shades_its_row_and_a_partition_the_height() -> None:
    page = page_of(RUNS["storm"])
    crashes, [split] = marks(page, "chain", "crash row"), marks(page, "chain", "partition shade")
    assert [float(c.attrib["height"]) for c in crashes] == [16, 16]
    assert float(crashes[1].attrib["y"]) - float(crashes[0].attrib["y"]) == 4 * 16
    assert float(split.attrib["height"]) > 10 * 16
    assert len(marks(page_of(RUNS["storm"] | {"faults": STORM * 30}), "chain", "crash row")) == 2


def test_a_fault_without_an_end_lasts_until_the_end() -> None:
    metrics = fake_metrics(4, 12)
    metrics["faults"] = [fault("crash", "n01", 20_000, 50_000), fault("crash", "n02", 60_000, None)]
    tips = [bar.attrib["data-tip"] for bar in marks(page_of(metrics), "chain", "crash")]
    assert sorted(tips) == [
        "crash n01\nfrom 0:00:20.000 until 0:00:50.000",
        f"crash n02\nfrom 0:01:00.000 until {text.moment(metrics['duration_ms'])}",
    ]


def test_leader_bars_stand_in_proportion() -> None:
    metrics = RUNS["default"]
    bars = marks(page_of(metrics), "leaders", "bar")
    shares = [share["ppm"] for share in metrics["leaders"]["shares"] if share["ppm"]]
    heights = [float(bar.attrib["height"]) for bar in bars]
    assert len(bars) == len(shares)
    assert heights == pytest.approx([heights[0] * share / shares[0] for share in shares], abs=0.2)


def test_many_kinds_of_message_are_added_up() -> None:
    metrics = fake_metrics(4, 6)
    metrics["traffic"]["by_kind"] = [{"kind": f"kind {i}", "messages": 1, "bytes": 100 - i} for i in range(20)]
    words = words_of(page_of(metrics))
    assert "8 others" in words and "kind 11" in words and "kind 12" not in words


def test_long_tables_are_cut_and_say_so() -> None:
    metrics = fake_metrics(4, 6)
    metrics["faults"] = [fault("crash", "n00", at, at + 1) for at in range(1_000)]
    page = page_of(metrics)
    assert "and 900 more, in metrics.json" in words_of(page)
    assert [tag for tag, _ in parsed(page).elements].count("tr") < 120


def test_how_long_an_invariant_did_not_bind_is_said_with_the_reason() -> None:
    metrics = fake_metrics(4, 6)
    metrics["invariants"][0]["unbound"] = [{"why": "2 of 4 honest validators down, quorum is 3", "ms": 90_000}]
    assert "1 min 30 s: 2 of 4 honest validators down, quorum is 3" in words_of(page_of(metrics))
    assert "Did not bind for" not in words_of(page_of(fake_metrics(4, 6)))


def test_a_run_too_short_for_a_block_does_not_say_that_the_chain_grew() -> None:
    metrics = fake_metrics(4, 6)
    metrics["verdict"], metrics["blocks"]["final"] = "pass", 0
    words = words_of(page_of(metrics))
    assert "too short for a final block" in words and "kept growing" not in words


def test_broken_invariants_come_first_and_idle_ones_are_named() -> None:
    words = words_of(page_of(fake_metrics(4, 6, verdict="diverged")))
    assert words.index("✕ broken") < words.index("✓ held")
    assert "not exercised" in words


def test_scale_maps_its_ends_and_clamps() -> None:
    for log, middle in ((False, 500.5), (True, 10**1.5)):
        scale = svg.Scale(1, 1_000, 10, 40, log)
        assert [scale(value) for value in (0.5, 1, middle, 1_000, 5_000)] == pytest.approx([10, 10, 25, 40, 40])


@given(st.floats(1e-3, 1e12), st.integers(2, 12))
def test_ticks_are_few_round_and_inside(hi: float, wanted: int) -> None:
    scale = svg.Scale(0, hi, 0, 1)
    for ticks in (scale.ticks(wanted), scale.time_ticks(wanted)):
        assert 1 <= len(ticks) <= wanted + 1
        assert all(0 <= tick <= hi * 1.000001 for tick in ticks)
    logarithmic = svg.Scale(1e-4, hi, 0, 1, log=True).ticks(wanted)
    assert all(f"{tick:e}"[0] in "125" and 1e-4 <= tick <= hi for tick in logarithmic)


@pytest.mark.parametrize(
    ("value", "spelled"),
    [
        (None, text.NONE), (float("nan"), text.NONE), (True, text.NONE), (0, "0 ms"), (0.4, "0.4 ms"),
        (231.26, "231 ms"), (1_234, "1.23 s"), (59_999, "60 s"), (61_000, "1 min 1 s"), (3_600_000, "1 h"),
        (5_400_000, "1 h 30 min"), (86_400_000, "24 h"), (180_000_000, "2 d 2 h"),
    ],
)  # fmt: skip
def test_spans_are_spelled_as_one_says_them(value: Any, spelled: str) -> None:
    assert text.duration(value) == spelled


def test_numbers_sizes_and_moments_are_spelled() -> None:
    space = text.NARROW_SPACE
    assert text.count(8_640) == f"8{space}640"
    assert [text.decimal(x) for x in (1.0349, 12.345, 123.4, 1_234.5)] == ["1.03", "12.3", "123", f"1{space}234"]
    assert [text.size(x) for x in (0, 999, 1_024, 1_572_864)] == ["0 B", "999 B", "1 KiB", "1.5 MiB"]
    assert text.moment(3_723_004) == "1:02:03.004"


def luminance(color: str) -> float:
    """Relative luminance of #rrggbb (WCAG 2.2, definition)."""
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_colors_stand_out_from_the_card(theme: int) -> None:
    """WCAG 2.2: 4.5:1 for text (1.4.3), 3:1 for marks (1.4.11)."""
    needed = dict.fromkeys(("ink", "soft", "faint", "pass", "no_progress", "diverged"), 4.5)
    needed |= dict.fromkeys(("block", "skip", "fork", "crash", "partition", "disturbance"), 3.0)
    card = luminance(COLORS["card"][theme])
    for name, ratio in needed.items():
        color = luminance(COLORS[name][theme])
        assert (max(card, color) + 0.05) / (min(card, color) + 0.05) >= ratio, name


def test_a_fault_shades_every_plot_over_time() -> None:
    page = page_of(fake_metrics(10, 320, STORM))
    for name in ("chain", "finality"):
        [figure] = [each for each in page.split("<figure") if f'id="{name}-title"' in each]
        assert re.search(r'class="(?:crash|partition|disturbance) (?:shade|row)"', figure), name


def test_a_refusal_is_explained() -> None:
    metrics = fake_metrics(4, 6) | {"refusals": {"LUCID_ERR_7003": 2, "LUCID_ERR_9999": 1}}
    words = words_of(page_of(metrics))
    assert Code.VOTE_SIGNATURE.sentence in words and "LUCID_ERR_9999" in words


def test_every_picture_can_be_made_wider_but_not_on_paper() -> None:
    page = page_of(fake_metrics(10, 320))
    drawn = [each for each in page.split("<figure")[1:] if "<svg" in each]
    assert drawn and all(each.count('class="zoom"') == 1 for each in drawn)
    printed = page[page.index("@media print") :]
    assert "#tip,.zoom{display:none}" in printed[: printed.index("@page")]


def test_the_faults_of_a_run_have_the_colors_that_they_were_recorded_with() -> None:
    """From the record as a run writes it: a key of another name would draw every fault in one color."""
    document = {**RUNS["small"], "faults": [fault("crash", "n03", 1, 2), fault("loss", "5%", 3, None)]}
    drawn = drawn_faults(msgspec.convert(document, RunResult), 10)
    assert drawn == [DrawnFault(1, 2, "crash", "n03", "crash"), DrawnFault(3, 10, "loss", "5%", "disturbance")]
