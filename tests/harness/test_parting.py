"""Where two traces part is the first event that differs, with what each node knew by then."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import zstandard

from harness.parting import events, parting
from harness.run import run
from lucid.cli.main import main
from sim.faults.crash import Crash
from sim.scenario import Scenario


def ran(folder: Path, *faults: Crash, seed: int = 1) -> Path:
    """The folder of a short run."""
    run(Scenario(nodes=4, duration="40s", seed=seed, fault=list(faults)), folder)
    return folder


def test_the_same_run_leaves_the_same_trace(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a, b = ran(tmp_path / "a"), ran(tmp_path / "b")
    assert parting(a, b) is None
    assert main(["sim", "diff", str(a), str(b / "trace.jsonl.zst")]) == 0
    assert capsys.readouterr().out == "the traces are equal\n"


def test_a_fault_parts_two_runs_where_it_begins(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a, b = ran(tmp_path / "a"), ran(tmp_path / "b", Crash(node=2, at=25_000))
    found = parting(a, b)
    assert found is not None and found.second is not None and found.first is not None
    assert found.second["fault"] == "crash begins: n02" and found.second["at_us"] == 25_000_000
    both = list(zip(events(a), events(b), strict=False))
    assert all(one == other for one, other in both[: found.line - 1]) and both[found.line - 1][0] != found.second
    known = found.known[0]
    assert known.view is not None and known.valid is not None and known.final is not None and known.signed
    finals = [each for each in events(a) if each.get("fact") == "BlockFinal" and each["node"] == 0]
    assert known.final[1] in {each["hash"] for each in finals if each["at_us"] <= 25_000_000}
    assert main(["sim", "diff", str(a), str(b)]) == 1
    said = capsys.readouterr().out
    assert "B only   25.000000 s: crash begins: n02" in said and said.count("  both     ") == 5
    assert "n00  view 0/" in said
    assert main(["sim", "diff", str(a), str(b), "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert not document["equal"] and document["parting"]["line"] == found.line


def test_a_trace_that_ends_before_the_other_parts_at_its_end(tmp_path: Path) -> None:
    a = ran(tmp_path / "a")
    lines = zstandard.ZstdDecompressor().stream_reader((a / "trace.jsonl.zst").read_bytes()).read().splitlines(True)
    short = tmp_path / "short.jsonl.zst"
    short.write_bytes(zstandard.ZstdCompressor().compress(b"".join(lines[:50])))
    found = parting(a, short)
    assert found is not None and (found.line, found.second) == (51, None) and found.first is not None
