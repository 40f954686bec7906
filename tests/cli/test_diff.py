"""`lucid sim diff`: the first event in which two traces part, told to people and programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import zstandard

from harness.hunt.ablation import without
from harness.hunt.judge import RunVerdict, judge
from sim.scenariofile import load
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


def test_a_failing_seed_is_compared_with_the_nearest_that_passes(tmp_path: Path) -> None:
    with without("own-votes"):
        words = ("sim", "diff", "54", "--nearest", "--profile", "crash", "--out", tmp_path)
        done, document = lucid(*words), json.loads(lucid(*words, "--json").out)
    assert (done.status, done.err) == (1, "")
    head, near, parts, *rest = done.out.splitlines()
    assert head.startswith("the nearest that passes, of ") and near.startswith("  without power_cut all nodes ")
    assert parts.startswith("the traces part at line ") and any(each.startswith("  A only ") for each in rest)
    assert not any(" fault" in each for each in rest), "that the faults differ is known"
    assert judge(load(str(tmp_path / "passing" / "scenario.toml"))).verdict is RunVerdict.PASS
    assert document["equal"] is False and document["nearest"]["differences"] == [near.strip()]


def test_a_seed_that_does_not_fail_has_no_neighbor_and_nearest_needs_no_second(tmp_path: Path) -> None:
    done = lucid("sim", "diff", "0", "--nearest", "--profile", "crash", "--out", tmp_path)
    assert (done.status, done.out, done.err) == (10, "", "lucid: 0 does not fail: pass\n")
    assert_refused(lucid("sim", "diff", "0", "1", "--nearest"), "--nearest finds B itself")
    assert_refused(lucid("sim", "diff", "0", "--nearest", "--seconds", "0"), "--seconds must be above 0")
    assert_refused(lucid("sim", "diff", "0", "--nearest", "--profile", "none"), "no profile 'none'")
    assert_refused(lucid("sim", "diff", "a"), "name B too")


def test_where_nothing_near_passes_it_is_said(tmp_path: Path) -> None:
    with without("own-votes"):
        done = lucid("sim", "diff", "54", "--nearest", "--profile", "crash", "--seconds", "1e-9", "--out", tmp_path)
    assert (done.status, done.out) == (10, "") and done.err.startswith("lucid: nothing near 54 passes")
