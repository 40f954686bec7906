"""The table of a run: its figures as text, and a dash where the run has none."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from harness.result import RunResult
from lucid.cli.runsummary import nodes_text, print_summary, spread_text, summary_rows
from sim.samples import Spread
from tests.harness.reported import RUNS


def result_of(name: str) -> RunResult:
    """A run that is made up."""
    return msgspec.convert(RUNS[name], RunResult)


def test_percentiles_that_a_sample_is_too_small_for_are_left_out() -> None:
    few = Spread(n=3, mean=2.0, p50=2.0, p90=None, p99=None, max=1_234.56)
    assert spread_text(few) == "p50 2.0 ms, max 1,234.6 ms, 3 samples"
    assert spread_text(Spread(n=0, mean=None, p50=None, p90=None, p99=None, max=None)) == "0 samples"


def test_figures_that_a_run_has_not_got_are_dashes() -> None:
    none, whole = dict(summary_rows(result_of("no block"))), dict(summary_rows(result_of("default")))
    assert none.keys() == whole.keys()
    assert {name for name, text in none.items() if text == "-"} == {"finality ratio", "traffic", "waits"}
    assert none["block interval"] == "mean -, deviation -" and none["finality"] == "0 samples"
    assert whole["blocks"] == f"360 final, height 360, {RUNS['default']['blocks']['forked']} forked, epoch 0"
    assert whole["block interval"] == "mean 10,003.4 ms, deviation 212.7 ms"
    assert whole["sessions"] == "358 of 360 attempts final, 2 waiting, 0 not accepted"


@pytest.mark.parametrize(("count", "text"), [(0, "0 nodes"), (1, "1 node"), (2, "2 nodes")])
def test_one_node_is_no_nodes(count: int, text: str) -> None:
    assert nodes_text(count) == text


def test_what_can_be_copied_stands_whole_below_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    result = result_of("storm")
    print_summary(result, Path("runs/x"))
    printed = capsys.readouterr().out
    assert "default: 10 nodes, seed 1" in printed and "diverged" in printed
    assert printed.splitlines()[-3:] == [
        f"trace hash  {result.trace_hash}",
        f"state root  {result.state_root}",
        "report      runs/x/report.html",
    ]
