"""`lucid sim ablate`: the first seed that misses a safeguard is named, and an end by a signal says what was found."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from harness.hunt.ablation import Ablation, without
from harness.hunt.judge import RunVerdict, judge
from harness.hunt.safeguards import SAFEGUARDS
from harness.hunt.swarm import draw
from tests.cli.command import assert_refused, lucid

FOUND = Ablation("view-timer", "crash", 12, 1, 11, RunVerdict.STUCK, "progress")
HOLE = Ablation("no-notarize-late", "all", 2_000, 0, None, "", "")


def comes(patch: pytest.MonkeyPatch, *found: Ablation, interrupted: bool = False) -> list[tuple[object, ...]]:
    """Have ablations come to this; returns what they are asked."""
    asked: list[tuple[object, ...]] = []

    def ablated(*words: object) -> Iterator[Ablation]:
        asked.append(words)
        yield from found
        if interrupted:
            raise KeyboardInterrupt

    patch.setattr("harness.hunt.ablating.ablated", ablated)
    return asked


def test_an_ablation_names_the_first_seed_that_misses_it() -> None:
    done = lucid("sim", "ablate", "view-timer", "--seeds", "30", "--jobs", "1", "--profile", "crash", "--json")
    [found] = json.loads(done.out)["ablations"]
    assert (done.status, found["name"], found["failed"], found["verdict"]) == (0, "view-timer", 1, "stuck")
    assert found["profile"] == "crash"
    seed = found["first"]
    assert judge(draw(seed, "crash")).verdict is RunVerdict.PASS
    with without("view-timer"):
        assert judge(draw(seed, "crash")).verdict is RunVerdict.STUCK


def test_a_safeguard_that_no_seed_misses_is_a_hole(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = comes(monkeypatch, FOUND, HOLE)
    done = lucid("sim", "ablate", "--jobs", "3", "--seeds", "12")
    assert (done.status, done.err) == (10, "")
    one, other, total = done.out.splitlines()
    assert one.startswith("view-timer ") and one.endswith("stuck: progress, crash 11, 1 of 12 (83.3 per 1,000)")
    assert other.endswith("no seed of 2000 of all fails: a hole in the hunt")
    assert total == "1 of 2 safeguards are missed by a seed; median of seeds to the first: 12"
    assert asked == [(list(SAFEGUARDS), "", 12, 3, False)], "all of them unless some are named, each in its own swarm"


def test_programs_are_told_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    comes(monkeypatch, FOUND, HOLE)
    done = lucid("sim", "ablate", "--json")
    rows = [each._asdict() | {"per_thousand": each.per_thousand} for each in (FOUND, HOLE)]
    assert (done.status, json.loads(done.out)) == (10, {"interrupted": False, "ablations": rows})


@pytest.mark.parametrize("found", [(), (FOUND,)])
def test_what_is_interrupted_says_what_was_found(found: tuple[Ablation, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    comes(monkeypatch, *found, interrupted=True)
    done = lucid("sim", "ablate")
    assert (done.status, done.err, len(done.out.splitlines())) == (130, "lucid: interrupted\n", 2 * len(found))
    document = json.loads(lucid("sim", "ablate", "--json").out)
    assert document["interrupted"] is True and len(document["ablations"]) == len(found)


def test_sigterm_ends_ablations_as_ctrl_c_does() -> None:
    words = ["lucid.cli.main", "sim", "ablate", "view-timer", "no-notarize-late", "--profile", "crash", "--jobs", "1"]
    process = subprocess.Popen(
        [sys.executable, "-m", *words], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    first = process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    printed, said = process.communicate(timeout=60)
    assert process.returncode == 130 and said == "lucid: interrupted\n"
    assert first.startswith("view-timer ") and "1 of 1 safeguards are missed by a seed" in printed


def test_the_safeguards_are_listed_each_with_what_it_is() -> None:
    done = lucid("sim", "ablate", "--list")
    assert (done.status, done.err) == (0, "")
    assert [line.split()[0] for line in done.out.splitlines()] == list(SAFEGUARDS)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["luck"], "no safeguard 'luck'; lucid sim ablate --list names them"),
        (["--profile", "x"], "no profile 'x'; there are all"),
        (["--seeds", "0"], "must be at least 1"),
        (["--jobs", "0"], "must be at least 1"),
        (["--seeds", "few"], "'few'"),
    ],
)
def test_what_can_not_be_ablated_is_one_sentence(words: list[str], says: str) -> None:
    assert_refused(lucid("sim", "ablate", *words), says)
