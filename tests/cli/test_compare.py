"""`lucid sim compare` as people and CI see it: a table, and the exit status."""

from __future__ import annotations

import json
import subprocess
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
    [
        (("one", "none"), "none is neither a folder nor"),
        (("one", "."), "are not two runs"),
        (("one", "other", "--worse", "much"), "'much' is not a number of percent"),
    ],
)
def test_what_cannot_be_compared_is_one_sentence(folders: Path, words: tuple[str, ...], says: str) -> None:
    assert_refused(lucid("sim", "compare", *words, cwd=folders), says)


LUCID_OF_A_COMMIT = """
import pathlib, shutil, sys
if "--fails" in sys.argv:
    print("lucid: it does not know that", file=sys.stderr)
    sys.exit(2)
out = pathlib.Path(sys.argv[sys.argv.index("--out") + 1])
out.mkdir(parents=True)
(out / "words").write_text(" ".join(sys.argv[1:]))
shutil.copy({found!r}, out)
"""


@pytest.fixture
def checkout(folders: Path) -> Path:
    """A checkout with two commits: the simulator of each comes to one of the two sweeps. `empty` has none."""

    def git(*words: str) -> None:
        who = ["-c", "user.name=tests", "-c", "user.email=tests@localhost", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *who, *words], cwd=folders, check=True, capture_output=True)

    git("init")
    (folders / ".gitignore").write_text("one\nother\nruns\n")
    git("add", ".gitignore")
    git("commit", "-m", "empty")
    git("tag", "empty")
    (folders / "lucid").mkdir()
    (folders / "lucid/__init__.py").touch()
    for name in ("one", "other"):
        found = str(folders / name / "runs.jsonl")
        (folders / "lucid/__main__.py").write_text(LUCID_OF_A_COMMIT.format(found=found))
        git("add", "lucid")
        git("commit", "-m", name)
        git("tag", f"at-{name}")
    return folders


def test_commits_are_compared_by_a_sweep_of_each_with_its_own_code(checkout: Path) -> None:
    done = lucid("sim", "compare", "at-one", "at-other", "--worse", "5", "--sweep", "--seeds 8 'a b'", cwd=checkout)
    assert done.status == WORSE and "finality" in done.out and "+10.0%" in done.out
    swept = sorted((checkout / "runs").iterdir())
    assert len(swept) == 2 and all(str(each.relative_to(checkout)) in done.err for each in swept)
    assert (swept[0] / "words").read_text().startswith("sim sweep --seeds 8 a b --out runs/commit-")


def test_a_folder_and_a_commit_are_compared_too(checkout: Path) -> None:
    assert lucid("sim", "compare", "one", "at-one", "--worse", "5", cwd=checkout).status == 0
    assert lucid("sim", "compare", "one", "at-other", "--worse", "5", cwd=checkout).status == WORSE


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("at-one", "nonesuch"), "nonesuch is neither a folder nor a commit of the checkout at"),
        (("--sweep", "--out x", "at-one", "at-other"), "--sweep takes no --out"),
        (("--sweep", "it's", "at-one", "at-other"), '--sweep "it\'s": No closing quotation'),
    ],
)
def test_commits_that_cannot_be_compared_are_refused_before_anything_is_run(
    checkout: Path, words: tuple[str, ...], says: str
) -> None:
    assert_refused(lucid("sim", "compare", *words, cwd=checkout), says)
    assert not (checkout / "runs").exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("empty", "at-one"), "holds no lucid that can be run"),
        (
            ("--sweep", "--fails --now", "at-one", "at-other"),
            "ended with status 2: lucid sim sweep --fails --now --out",
        ),
    ],
)
def test_a_commit_that_cannot_be_asked_is_named(checkout: Path, words: tuple[str, ...], says: str) -> None:
    done = lucid("sim", "compare", *words, cwd=checkout)
    assert (done.status, done.out) == (2, "") and says in done.err.splitlines()[-1]
