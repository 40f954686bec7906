"""The story of a run: from its trace and from its journals, as a page and for Perfetto."""

from __future__ import annotations

import base64
import json
import re
import zlib
from array import array
from pathlib import Path
from typing import Any

import msgspec
import pytest
import zstandard

from harness.run import run
from harness.timeline.journals import story_of_journals
from harness.timeline.page import render
from harness.timeline.perfetto import write_perfetto
from harness.timeline.story import GOES_DOWN, MARKS, STARTS, Story
from harness.timeline.traces import story_of_trace
from lucid.machines.engine import Engine
from sim.faults.crash import Crash
from sim.faults.partition import Partition
from sim.scenario import Scenario
from tests.browser import Browser

FINAL = MARKS.index("final block")
NODES = 4


def made(**values: Any) -> Scenario:
    """Four nodes, one of which is down for a while."""
    keys: dict[str, Any] = {"duration": "70s", "profile": "lan", "anchor_every_ms": 0}
    return Scenario(nodes=NODES, **(keys | values))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run with journals."""
    folder = tmp_path_factory.mktemp("timeline") / "a run"
    faults = [Crash(node=2, at="15s", until="35s"), Partition(groups=[[0], [1, 2, 3]], at="50s")]
    run(made(fault=faults), folder, journals=True)
    return folder


def packed(page: str) -> tuple[dict[str, Any], dict[str, array[Any]]]:
    """Head and columns of a page, as its script unpacks them."""
    found = re.search(r'<script type="text/plain" id="data">([^<]*)</script>', page)
    assert found is not None
    data = zlib.decompress(base64.b64decode(found.group(1)))
    at = 8 + int(data[:8])
    head = json.loads(data[8:at])
    columns = {}
    for name, kind, count in head["columns"]:
        columns[name] = array(kind)
        size = count * columns[name].itemsize
        columns[name].frombytes(data[at : at + size])
        at += size
    assert at == len(data)
    return head, columns


def test_a_trace_tells_of_nodes_messages_and_faults(folder: Path) -> None:
    story = story_of_trace(folder)
    assert story.title == "a run" and story.lanes == ["n00", "n01", "n02", "n03"]
    powers = [
        (int(at) // 1_000_000, lane, kind)
        for at, lane, kind in zip(story.mark_at, story.mark_lane, story.mark_kind, strict=True)
        if kind in (STARTS, GOES_DOWN)
    ]
    assert powers == [*[(0, lane, STARTS) for lane in range(NODES)], (15, 2, GOES_DOWN), (35, 2, STARTS)]
    assert [fault.text.split(":")[0] for fault in story.faults] == ["crash", "partition"]
    assert [(fault.at, fault.until) for fault in story.faults] == [(15_000_000, 35_000_000), (50_000_000, None)]
    assert story.got_at and story.sent_at and not story.broken
    for place, at in enumerate(story.got_at):
        message = story.got_message[place]
        assert story.sent_at[message] < at and story.sent_lane[message] != story.got_lane[place], "both ends"
    assert list(story.mark_at) == sorted(story.mark_at) and list(story.got_at) == sorted(story.got_at)


def test_a_trace_of_an_earlier_release_is_told_the_same(folder: Path, tmp_path: Path) -> None:
    """It has another key for the color of a fault."""
    data = zstandard.ZstdDecompressor().decompressobj().decompress((folder / "trace.jsonl.zst").read_bytes())
    assert b'"color":' in data
    old = tmp_path / "a run"
    old.mkdir()
    (old / "trace.jsonl.zst").write_bytes(zstandard.compress(data.replace(b'"color":', b'"colour":')))
    assert story_of_trace(old).faults == story_of_trace(folder).faults


def test_journals_tell_the_same_as_the_trace(folder: Path) -> None:
    def finals(story: Story) -> set[tuple[int, int, str]]:
        return {
            (story.mark_lane[place], story.mark_number[place], story.hashes[story.mark_hash[place]])
            for place, kind in enumerate(story.mark_kind)
            if kind == FINAL
        }

    traced, kept = story_of_trace(folder), story_of_journals(sorted((folder / "journals").glob("*.journal")))
    assert kept.lanes == traced.lanes and finals(kept) == finals(traced)
    assert set(kept.mark_kind) == set(traced.mark_kind) - {GOES_DOWN}, "a journal cannot tell that it ends"
    alone = story_of_journals([folder / "journals" / "n01-manager-0.journal"])
    assert finals(alone) == {each for each in finals(traced) if each[0] == 1}
    assert {alone.sent_lane[message] for message in alone.got_message} <= {0, 2, 3}


def test_a_broken_invariant_is_where_the_story_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Engine, "_vote_finalize", lambda *_: [])
    run(made(duration="2m"), tmp_path)
    [broken] = story_of_trace(tmp_path).broken
    assert broken.text.startswith("no new final block for ") and broken.at > 10_000_000


def test_a_page_holds_all_of_it_and_lets_nothing_else_run(folder: Path) -> None:
    story = story_of_trace(folder)
    page = render(story)
    assert page == (folder / "timeline.html").read_text("utf-8"), "a run leaves it behind"
    assert 'href="timeline.html"' in (folder / "report.html").read_text("utf-8")
    head, columns = packed(page)
    for name, column in columns.items():
        assert column == getattr(story, name)
    assert (head["lanes"], head["hashes"]) == (story.lanes, story.hashes)
    assert head["faults"] == msgspec.to_builtins(story.faults)
    assert "default-src 'none'" in page and not re.search(r"(?:src|href)=\"(?!data:,)", page) and "://" not in page


def test_a_title_can_not_break_out_of_the_page() -> None:
    page = render(Story("</title><script>alert(1)</script>"))
    assert "<script>alert" not in page and page.count("<script") == 2


def test_a_browser_finds_and_lists(browser: Browser, folder: Path, tmp_path: Path) -> None:
    url = f"{(folder / 'timeline.html').as_uri()}#from=0&to=40&messages=0&find=height%202&list=0,10"
    page = browser.shown(url, tmp_path / "profile", 5_000)
    assert 'data-ready="yes"' in page and f"{NODES} nodes, " in page
    found = re.search(r'<output id="found">([^<]*)<', page)
    assert found is not None
    assert re.fullmatch(r"1 of \d+: 0:[\d.]+  n0\d  [a-z ]+ block[a-z ]*  view 0/2  height 2  [0-9a-f]{16}", found[1])


def test_perfetto_is_given_slices_marks_and_flows_with_two_ends(folder: Path, tmp_path: Path) -> None:
    story, out = story_of_trace(folder), tmp_path / "perfetto.json"
    count = write_perfetto(story, out)
    events = json.loads(out.read_text("utf-8"))["traceEvents"]
    assert len(events) == count
    starts = {event["id"]: event for event in events if event["ph"] == "s"}
    ends = {event["id"]: event for event in events if event["ph"] == "f"}
    assert len(starts) == len(ends) == len(story.got_at) and starts.keys() == ends.keys()
    assert all(starts[each]["ts"] <= ends[each]["ts"] for each in starts)
    names = {event["name"] for event in events}
    assert {"view 0/1 by a skip", "final block", "proposal", "vote"} & names >= {"final block", "proposal", "vote"}
    assert all(event["dur"] >= 0 for event in events if event["ph"] == "X")
    named = {event["args"]["name"] for event in events if event["name"] == "thread_name"}
    assert named == set(story.lanes)
