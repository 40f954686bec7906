"""The trace: its hash tells any two histories apart and does not care whether the file is written; the file is JSON."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from lucid.chain.errors import Code
from lucid.chain.votes import SKIP, Vote
from lucid.machines.effects import BlockFinal, EnteredView, Refused, Signed
from sim.trace import BLOCK, TRACE_VERSION, Trace

Step = Callable[[Trace], None]
MESSAGE = b"\x92\x02payload"


def lines(path: Path) -> list[dict[str, Any]]:
    """The trace file's lines."""
    with path.open("rb") as file, zstandard.ZstdDecompressor().stream_reader(file) as stream:
        return [json.loads(line) for line in io.TextIOWrapper(stream, "utf-8")]


def sent(now_us: int, sender: int, data: bytes) -> Step:
    return lambda trace: trace.sent(now_us, 1, sender, 3, data)


def noted(*numbers: int) -> Step:
    def step(trace: Trace) -> None:
        for number in numbers:
            trace.note(number)

    return step


def fact(now_us: int, node: int, height: int) -> Step:
    return lambda trace: trace.fact(now_us, node, BlockFinal(0, height, height, bytes([height]) * 32))


def fault(now_us: int, what: str) -> Step:
    return lambda trace: trace.fault(now_us, what)


def hash_of(steps: list[Step], path: Path | None = None) -> str:
    trace = Trace(path)
    for step in steps:
        step(trace)
    return trace.close()


few = st.integers(0, 3)
steps = st.lists(
    st.one_of(
        st.builds(lambda *row: ("sent", *row), few, few, st.sampled_from([MESSAGE, MESSAGE + b"!"])),
        st.builds(lambda *row: ("noted", *row), few, few),
        st.builds(lambda *row: ("fact", *row), few, few, few),
        st.builds(lambda *row: ("fault", *row), few, st.sampled_from(["crash", "split"])),
    ),
    max_size=6,
)
MAKERS: dict[str, Callable[..., Step]] = {"sent": sent, "noted": noted, "fact": fact, "fault": fault}


@given(steps)
def test_the_file_changes_nothing_of_the_hash(story: list[tuple[Any, ...]]) -> None:
    made = [MAKERS[name](*row) for name, *row in story]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "open", lambda *_: io.BytesIO())
        assert hash_of(made, Path("any")) == hash_of(made)


def test_each_kind_of_event_and_each_of_its_values_tells() -> None:
    stories: list[list[Step]] = [
        [],
        [sent(1, 0, MESSAGE)],
        [sent(1, 0, MESSAGE + b"!")],
        [sent(1, 0, MESSAGE), noted(4096, 1)],
        [sent(1, 0, MESSAGE), noted(4097, 1)],
        [sent(1, 0, MESSAGE), noted(4096, 2)],
        [fact(1, 0, 1)],
        [fact(2, 0, 1)],
        [fact(1, 1, 1)],
        [fact(1, 0, 2)],
        [fault(1, "crash begins")],
        [fault(2, "crash begins")],
        [fault(1, "crash ends")],
        [fact(1, 0, 1), fault(1, "crash begins")],
    ]
    assert len({hash_of(story) for story in stories}) == len(stories)
    assert hash_of(stories[4]) == hash_of(stories[4])


def test_deliveries_beyond_one_block_of_numbers_count() -> None:
    many = [noted(each, 1) for each in range(BLOCK)]
    flushed = [*many[: BLOCK // 2], sent(0, 0, MESSAGE), *many[BLOCK // 2 :], sent(0, 0, MESSAGE)]
    other = [*flushed[:-2], noted(BLOCK, 1), sent(0, 0, MESSAGE)]
    assert len({hash_of(flushed), hash_of(other), hash_of(many)}) == 3


@pytest.mark.parametrize("noted_before", [0, BLOCK - 1, BLOCK])
def test_messages_sent_singly_count_as_each_by_itself(noted_before: int, tmp_path: Path) -> None:
    before = [noted(*range(noted_before))]
    each = [*before, *[lambda trace, number=number: trace.sent(5, number, 1, 1, MESSAGE) for number in (7, 8, 9)]]
    whole = [*before, lambda trace: trace.sent_singly(5, 7, 3, 1, MESSAGE)]
    assert hash_of(each) == hash_of(whole)
    assert hash_of(each, tmp_path / "each") == hash_of(whole, tmp_path / "whole") == hash_of(whole)
    assert lines(tmp_path / "each") == lines(tmp_path / "whole")


def test_the_file_tells_the_story_in_order(tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl.zst"
    trace = Trace(path)
    trace.network(["n00", "n01", "n02"])
    trace.sent(5, 7, 1, 3, MESSAGE)
    trace.delivered(9, 7, 1, 2, 2)
    trace.fact(10, 2, EnteredView(0, 3, True))
    trace.fact(11, 2, Refused(Code.MALFORMED))
    trace.fact(12, 2, Signed(Vote(0, 3, SKIP, b"", bytes(32), bytes(64))))
    trace.tell_fault(13, "loss begins", 4, "network", "disturbance")
    trace.fault(13, "loss begins")
    trace.power(14, 2, False)
    trace.broken(15, "agreement: a or b")
    trace.close()
    assert lines(path) == [
        {"at_us": 0, "trace": TRACE_VERSION},
        {"at_us": 0, "nodes": ["n00", "n01", "n02"]},
        {"at_us": 5, "send": 1, "message": 7, "copies": 3, "kind": 2, "bytes": 9},
        {"at_us": 9, "deliver": 2, "message": 7, "from": 1, "kind": 2},
        {"at_us": 10, "node": 2, "fact": "EnteredView", "epoch": 0, "view": 3, "skipped": True},
        {"at_us": 11, "node": 2, "fact": "Refused", "code": 1001},
        {"at_us": 12, "node": 2, "fact": "Signed", "epoch": 0, "view": 3, "kind": SKIP, "block": ""},
        {"at_us": 13, "fault": "loss begins", "place": 4, "lane": "network", "color": "disturbance"},
        {"at_us": 14, "power": 2, "up": False},
        {"at_us": 15, "broken": "agreement: a or b"},
    ]
