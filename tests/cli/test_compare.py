"""`lucid sim compare` as people and CI see it: a table, and the exit status."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from harness.sweep import SweepRun
from harness.verdict import RunVerdict
from lucid.cli.compare import WORSE
from tests.cli.command import assert_refused, lucid


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """Sweeps of one cell: `other` has a finality of 10 % more, and as many blocks more."""
    for name, factor in (("one", 1.0), ("other", 1.1)):
        (tmp_path / name).mkdir()
        with (tmp_path / name / "runs.jsonl").open("wb") as file:
            for seed in range(8):
                measures: dict[str, float | None] = {
                    "finality p50": 300 * factor + seed / 9,
                    "final blocks": 50 * factor,
                }
                made = SweepRun(
                    values=("4",), seed=seed, key=str(seed), verdict=RunVerdict.PASS, reason="", trace_hash="",
                    seconds=1, measures=measures,
                )  # fmt: skip
                file.write(msgspec.json.encode(made) + b"\n")
    return tmp_path


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (("one", "one"), 0),
        (("one", "other", "--worse", "5%"), WORSE),
        (("one", "other", "--worse", "5"), WORSE),
        (("one", "other", "--worse", "11"), 0),
        (("other", "one"), 0),
    ],
)
def test_the_status_tells_whether_anything_is_worse_than_allowed(
    folders: Path, words: tuple[str, ...], status: int
) -> None:
    done = lucid("sim", "compare", *words, cwd=folders)
    assert done.status == status
    assert done.err == ("lucid: 1 of 2 figures are worse by more than 5%\n" if status else "")


def test_what_is_worse_and_better_is_told(folders: Path) -> None:
    done = lucid("sim", "compare", "one", "other", "--worse", "5", cwd=folders)
    worse, better = (line for line in done.out.splitlines() if "finality" in line or "blocks" in line)
    assert "300 ms" in worse and "330 ms" in worse and "+10.0%" in worse and "worse" in worse
    assert "final blocks" in better and "better" in better
    told = json.loads(lucid("sim", "compare", "one", "other", "--json", cwd=folders).out)
    assert [each["measure"] for each in told] == ["finality p50", "final blocks"]
    assert told[0]["least"] == pytest.approx(0.1, abs=1e-3) == told[0]["most"], "each seed is a tenth slower"


def test_it_is_written_as_a_page_where_one_is_asked_for(folders: Path) -> None:
    assert lucid("sim", "compare", "one", "other", "--report", "page.html", cwd=folders).status == 0
    assert "of 2 figures are worse by more than 10%" in (folders / "page.html").read_text()
    refused = lucid("sim", "compare", "one", "other", "--report", "nowhere/page.html", cwd=folders)
    assert_refused(refused, "nowhere/page.html: No such file")


@pytest.mark.parametrize(
    ("words", "says"),
    [(("one", "none"), "are not two runs"), (("one", "other", "--worse", "much"), "'much' is not a number of percent")],
)
def test_what_cannot_be_compared_is_one_sentence(folders: Path, words: tuple[str, ...], says: str) -> None:
    assert_refused(lucid("sim", "compare", *words, cwd=folders), says)
