"""`lucid sim diff`: the first event in which two traces part, told to people and programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import zstandard

from sim.trace import TRACE_VERSION
from tests.cli.command import assert_refused, lucid

HEAD = {"at_us": 0, "trace": TRACE_VERSION}
VIEW = {"at_us": 1_000_000, "node": 2, "fact": "EnteredView", "epoch": 0, "view": 7}
FINAL = {"at_us": 2_000_000, "node": 2, "fact": "BlockFinal", "height": 5, "hash": "ab" * 32}
OTHER = FINAL | {"hash": "cd" * 32}


def traced(path: Path, *events: dict[str, Any]) -> Path:
    """A trace of these events."""
    lines = [json.dumps(each).encode() + b"\n" for each in (HEAD, *events)]
    path.write_bytes(zstandard.ZstdCompressor().compress(b"".join(lines)))
    return path


def test_equal_traces_are_0_and_a_run_may_be_named_by_its_folder(tmp_path: Path) -> None:
    a = traced(tmp_path / "a.zst", VIEW, FINAL)
    (tmp_path / "run").mkdir()
    traced(tmp_path / "run" / "trace.jsonl.zst", VIEW, FINAL)
    assert lucid("sim", "diff", a, tmp_path / "run") == (0, "the traces are equal\n", "")
    done = lucid("sim", "diff", a, a, "--json")
    assert (done.status, json.loads(done.out)) == (0, {"equal": True, "parting": None})


def test_the_first_difference_is_told_with_what_each_node_knew(tmp_path: Path) -> None:
    a, b = traced(tmp_path / "a.zst", VIEW, FINAL), traced(tmp_path / "b.zst", VIEW, OTHER)
    done = lucid("sim", "diff", a, b)
    assert (done.status, done.err) == (1, "")
    head, *both, first, second, names, known = done.out.splitlines()
    assert head == "the traces part at line 3" and len(both) == 2 and all(each.startswith("  both ") for each in both)
    assert first.startswith("  A only ") and "abab" in first and second.startswith("  B only ") and "cdcd" in second
    assert names == f"A is {a}, B is {b}; what each node knew by then:" and known == "  n02  view 0/7"
    document = json.loads(lucid("sim", "diff", a, b, "--json").out)
    assert document["equal"] is False and document["parting"]["first"] == FINAL
    assert document["parting"]["known"]["2"]["view"] == [0, 7]


def test_a_trace_that_ends_first_parts_at_its_end(tmp_path: Path) -> None:
    a, b = traced(tmp_path / "a.zst", VIEW), traced(tmp_path / "b.zst", VIEW, FINAL)
    done = lucid("sim", "diff", a, b, "--json")
    assert done.status == 1 and json.loads(done.out)["parting"]["first"] is None
    assert lucid("sim", "diff", a, b).status == 1


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (None, "No such file"),
        (b"no trace", "cannot be read as a trace"),
        (zstandard.ZstdCompressor().compress(b'{"trace": 1}\n'), "is no trace of version 3"),
        (zstandard.ZstdCompressor().compress(b"[]\n"), "cannot be read as a trace"),
        (zstandard.ZstdCompressor().compress(b'{"trace": 3}\n'), "line 1 has no time"),
    ],
)
def test_what_is_no_trace_is_one_sentence(data: bytes | None, says: str, tmp_path: Path) -> None:
    path = tmp_path / "a.zst"
    if data is not None:
        path.write_bytes(data)
    assert_refused(lucid("sim", "diff", path, path), says)
