"""`lucid sim export`: a run or journals as a page or for Perfetto, beside the run."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from harness.run import run
from sim.scenario import Scenario
from tests.cli.command import assert_refused, lucid


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a short run with journals, of which the tests only read."""
    folder = tmp_path_factory.mktemp("export") / "run"
    run(Scenario(nodes=2, duration="12s", profile="lan", anchor_every_ms=0), folder, journals=True)
    return folder


@pytest.fixture
def copied(finished: Path, tmp_path: Path) -> Path:
    """A folder with the trace of that run alone."""
    (tmp_path / "copy").mkdir()
    shutil.copy(finished / "trace.jsonl.zst", tmp_path / "copy")
    return tmp_path / "copy"


def test_a_page_lies_beside_the_run_and_says_how_much_it_holds(copied: Path) -> None:
    done = lucid("sim", "export", copied)
    assert (done.status, done.err) == (0, "") and (copied / "timeline.html").exists()
    assert done.out.startswith(f"{copied / 'timeline.html'}: ") and done.out.endswith(" events of 2 nodes\n")
    assert lucid("sim", "export", copied / "trace.jsonl.zst") == done, "a trace file alone is the same"


def test_perfetto_is_json_beside_the_run_and_programs_are_told(copied: Path) -> None:
    done = lucid("sim", "export", copied, "--perfetto", "--json")
    told = json.loads(done.out)
    assert (done.status, told["out"], told["nodes"]) == (0, str(copied / "perfetto.json"), 2)
    assert json.loads((copied / "perfetto.json").read_text("utf-8"))["traceEvents"] and told["events"] > 10
    assert not (copied / "timeline.html").exists()


def test_journals_may_be_several_or_a_folder_of_them(finished: Path, tmp_path: Path) -> None:
    folder, page = finished / "journals", tmp_path / "page.html"
    assert lucid("sim", "export", folder, "--out", page).out.endswith(" events of 2 nodes\n")
    one = lucid("sim", "export", *sorted(folder.glob("n01-*.journal")), "--out", page, "--json")
    assert one.status == 0 and json.loads(one.out)["out"] == str(page)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["/no/such/run"], "there is no /no/such/run"),
        (["."], "a run writes it unless told --no-trace"),
        ([".", "."], "one run at a time"),
        ([__file__], "cannot be read as a trace"),
        ([], "RUN"),
    ],
)
def test_what_can_not_be_exported_is_one_sentence(words: list[str], says: str, tmp_path: Path) -> None:
    assert_refused(lucid("sim", "export", *words, cwd=tmp_path), says)


def test_a_place_that_cannot_be_written_is_one_sentence(copied: Path) -> None:
    assert_refused(lucid("sim", "export", copied, "--out", copied), f"{copied}: Is a directory")
    assert_refused(lucid("sim", "export", copied, "--perfetto", "--out", copied / "no" / "x"), "No such file")


def test_a_file_that_is_no_journal_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "cut.journal").write_bytes(b"no journal")
    assert_refused(lucid("sim", "export", tmp_path / "cut.journal"), "cut.journal is damaged or cut short")
