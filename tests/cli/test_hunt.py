"""`lucid sim hunt` as people and CI see it: which seeds are asked for, what is said of them, and the exit status."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from harness.hunt.judge import RunVerdict, SeedOutcome
from harness.hunt.marks import SOMETIMES
from harness.hunt.record import Judged, read
from lucid.cli import hunt as command
from tests.cli.command import Done, assert_refused, lucid

PASS, STUCK = RunVerdict.PASS, RunVerdict.STUCK


class Hunted:
    """What judges seeds as a test says: those in `failing` are stuck, each reaches `marks`; `asked` is kept."""

    def __init__(self) -> None:
        self.failing: set[int] = set()
        self.marks: tuple[str, ...] = SOMETIMES
        self.until: int | None = None
        self.asked: list[int] = []
        self.where: list[tuple[str, object]] = []

    def judged(self, seeds: Iterable[int], profile: str, workers: object) -> Iterator[Judged]:
        """See `harness.hunt.pool.judged`; SIGTERM comes before the seed `until`."""
        self.where.append((profile, workers))
        for seed in seeds:
            if seed == self.until:
                signal.raise_signal(signal.SIGTERM)
            self.asked.append(seed)
            bad = seed in self.failing
            said = ("progress", f"no block after {seed} s") if bad else ("", "")
            outcome = SeedOutcome(STUCK if bad else PASS, *said, 7_000, 3, f"{seed:064x}", dict.fromkeys(self.marks, 1))
            yield Judged(seed, outcome, 0.1)


@pytest.fixture
def hunted(monkeypatch: pytest.MonkeyPatch) -> Hunted:
    """One that finds nothing yet."""
    made = Hunted()
    monkeypatch.setattr("harness.hunt.pool.judged", made.judged)
    return made


def hunt(folder: Path, *words: object) -> Done:
    """Run `lucid sim hunt` there."""
    return lucid("sim", "hunt", *words, cwd=folder)


def test_seeds_are_those_that_were_asked_for_and_not_known(hunted: Hunted, tmp_path: Path) -> None:
    assert hunt(tmp_path, "--first", 5, "--seeds", 3, "--jobs", 3, "--profile", "crash").status == 0
    assert hunted.asked == [5, 6, 7] and hunted.where == [("crash", 3)]
    assert hunt(tmp_path, "--first", 4, "--seeds", 6, "--profile", "crash").status == 0
    assert hunted.asked[3:] == [4, 8, 9], "the record knows the others"
    assert sorted(line.seed for line in read(tmp_path / "hunt.jsonl")) == [4, 5, 6, 7, 8, 9]


def test_a_thousand_are_judged_unless_it_is_said_how_many(hunted: Hunted, tmp_path: Path) -> None:
    done = hunt(tmp_path)
    assert len(hunted.asked) == command.DEFAULT_SEEDS and done.out.startswith(
        "1,000 seeds of all: 1,000 pass; 1,000 of"
    )


def test_minutes_end_it_whatever_the_seed(hunted: Hunted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter(range(0, 1_000, 20))
    monkeypatch.setattr("lucid.cli.hunt.time.monotonic", lambda: float(next(now)))
    assert hunt(tmp_path, "--minutes", "1", "--first", 3).status == 0
    assert hunted.asked == [3, 4, 5]


def test_what_failed_is_said_at_once_and_at_the_end_and_kept(hunted: Hunted, tmp_path: Path) -> None:
    hunted.failing = {1, 2}
    done = hunt(tmp_path, "--seeds", 4)
    assert done.status == command.FOUND
    assert done.err == "".join(f"seed {n}: stuck: progress: no block after {n} s\n" for n in (1, 2))
    head, *lines = done.out.splitlines()
    assert head.startswith("4 seeds of all: 2 pass, 2 stuck; 4 of them now in ") and "never" not in done.out
    assert lines == [f"  seed {n}: stuck: progress: no block after {n} s" for n in (1, 2)]
    assert all(line.scenario for line in read(tmp_path / "hunt.jsonl") if line.verdict.failed)
    assert hunt(tmp_path, "--seeds", 4).status == command.FOUND, "what is known stays found"


def test_programs_are_told_the_same(hunted: Hunted, tmp_path: Path) -> None:
    hunted.failing, hunted.marks = {2}, SOMETIMES[1:]
    done = hunt(tmp_path, "--seeds", 3, "--json", "--out", "mine")
    told = json.loads(done.out)
    assert done.status == command.FOUND and told["record"] == "mine" and (tmp_path / "mine").exists()
    assert (told["profile"], told["seeds"], told["judged_now"], told["interrupted"]) == ("all", 3, 3, False)
    assert told["verdicts"] == {"pass": 2, "stuck": 1}
    assert told["failed"] == [{"seed": 2, "verdict": "stuck", "invariant": "progress", "reason": "no block after 2 s"}]
    assert told["marks"] == {name: 3 * (name != SOMETIMES[0]) for name in SOMETIMES}


@pytest.mark.parametrize(
    ("marks", "words", "enough", "status"),
    [
        (SOMETIMES, ("--marks",), 3, 0),
        (SOMETIMES[1:], ("--marks",), 3, command.HOLE),
        (SOMETIMES[1:], ("--marks",), 4, 0),
        (SOMETIMES[1:], (), 3, 0),
    ],
)
def test_a_mark_that_no_seed_reaches_is_a_hole_where_that_says_something(
    hunted: Hunted,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    marks: tuple[str, ...],
    words: tuple[str, ...],
    enough: int,
    status: int,
) -> None:
    monkeypatch.setattr(command, "MARKED_SEEDS", enough)
    hunted.marks = marks
    done = hunt(tmp_path, "--seeds", 3, *words)
    assert done.status == status
    assert (f"never reached in these: {SOMETIMES[0]}\n" in done.out) is (marks != SOMETIMES)


@pytest.mark.usefixtures("survived")
def test_sigterm_keeps_what_was_judged(hunted: Hunted, tmp_path: Path) -> None:
    hunted.until = 2
    done = hunt(tmp_path, "--seeds", 9)
    assert (done.status, done.err) == (130, "lucid: interrupted; hunt.jsonl keeps 2 seeds, run again to go on\n")
    assert done.out.startswith("2 seeds of all: 2 pass")
    hunted.until = None
    assert hunt(tmp_path, "--seeds", 4).status == 0 and hunted.asked == [0, 1, 2, 3]


def test_a_record_of_another_hunt_is_left_alone(hunted: Hunted, tmp_path: Path) -> None:
    assert hunt(tmp_path, "--seeds", 1).status == 0
    before = (tmp_path / "hunt.jsonl").read_bytes()
    assert_refused(hunt(tmp_path, "--profile", "crash"), "hunt.jsonl is of commit", "name another file by --out")
    (tmp_path / "other").write_text("words\n")
    assert_refused(hunt(tmp_path, "--out", "other"), "other is not a record of a hunt")
    assert (tmp_path / "hunt.jsonl").read_bytes() == before and hunted.asked == [0]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--seeds", "many"], "'many' is not a whole number from 1 on"),
        (["--seeds", "0"], "'0' is not a whole number"),
        (["--first", "-1"], "'-1' is not a whole number from 0 on"),
        (["--minutes", "nan"], "'nan' is not a number of minutes"),
        (["--profile", "everything"], "no profile 'everything'; there are all, honest, crash, byzantine"),
        (["--seeds", "1", "--minutes", "1"], "not allowed with"),
        (["--out", "/no/such/folder/x"], "No such file"),
    ],
)
def test_wrong_input_is_one_sentence_and_nothing_is_judged(
    hunted: Hunted, tmp_path: Path, words: list[str], says: str
) -> None:
    assert_refused(hunt(tmp_path, *words), says)
    assert not hunted.asked
