"""`lucid sim explore` as people and CI see it: a scope in words, a search that is kept and gone on with, and what broke
told step by step."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.explore.search import Result, Search
from lucid.cli import explore as command
from tests.cli.command import Done, assert_refused, lucid

PAIR = ("--nodes", 2, "--views", 1, "--crashes", 0, "--byzantine", "none")
"""Two honest nodes, one view: some hundred states."""

Until = Callable[[Search], bool]


def explore(folder: Path, *words: object) -> Done:
    """Run `lucid sim explore` there."""
    return lucid("sim", "explore", *words, cwd=folder)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """All there is to see of the pair, for programs."""
    done = explore(tmp_path_factory.mktemp("whole"), *PAIR, "--json")
    assert (done.status, done.err) == (0, "")
    found: dict[str, Any] = json.loads(done.out)
    return found


@pytest.fixture
def asking(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search asks whether it is enough before its first state: so few are over before it would."""
    go_on = Search.go_on

    def asks(search: Search, until: Until) -> Result:
        return search.result() if until(search) else go_on(search, until)

    monkeypatch.setattr(Search, "go_on", asks)


def test_a_search_that_saw_every_state_is_closed(whole: dict[str, Any], tmp_path: Path) -> None:
    assert (whole["closed"], whole["waiting"], whole["broken"], whole["trail"]) == (True, 0, None, [])
    assert whole["scope"] == {"nodes": 2, "views": 1, "crashes": 0, "byzantine": -1, "blocks": 2}
    assert whole["states_now"] == whole["states"] - 1, "the first is where it begins"
    assert (whole["without"], whole["interrupted"]) == (None, False)
    done = explore(tmp_path, *PAIR)
    assert done.status == 0 and done.out.endswith("closed: every state was seen, and no rule is broken\n")
    assert f"no crashes: {whole['states']:,} states, {whole['depth']} steps deep" in done.out


@pytest.mark.usefixtures("asking")
def test_a_limit_leaves_it_open_and_its_record_closes_it(whole: dict[str, Any], tmp_path: Path) -> None:
    done = explore(tmp_path, *PAIR, "--states", 1, "--out", "record")
    assert done.status == command.OPEN
    assert done.out.endswith("not closed: 1 states wait to be looked at, and no rule is broken so far\n")
    told = json.loads(explore(tmp_path, *PAIR, "--states", 100_000, "--out", "record", "--json").out)
    assert told["states_now"] == told["states"] - 1
    assert told | {"states_now": 0, "seconds": 0} == whole | {"states_now": 0, "seconds": 0}


@pytest.mark.usefixtures("asking")
@pytest.mark.parametrize(("minutes", "status"), [(1.5, command.OPEN), (2.5, 0)])
def test_minutes_are_a_limit_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, minutes: float, status: int) -> None:
    now = iter(range(0, 100_000, 60))
    monkeypatch.setattr("lucid.cli.explore.time.perf_counter", lambda: float(next(now)))
    assert explore(tmp_path, *PAIR, "--minutes", minutes).status == status


@pytest.mark.usefixtures("survived")
def test_sigterm_keeps_what_was_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = Search.go_on

    def terminated(search: Search, until: Until) -> None:
        go_on(search, until)
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(Search, "go_on", terminated)
    done = explore(tmp_path, *PAIR, "--out", "record")
    assert (done.status, done.err) == (130, "lucid: interrupted; record keeps what was seen, run again to go on\n")
    assert (tmp_path / "record").stat().st_size
    done = explore(tmp_path, *PAIR, "--json")
    assert (done.status, done.err) == (130, "lucid: interrupted\n") and json.loads(done.out)["interrupted"] is True


def test_what_broke_is_told_with_the_way_there(tmp_path: Path) -> None:
    words = [*PAIR[:4], *PAIR[6:], "--without", "own-votes", "--out", "record"]
    done = explore(tmp_path, *words)
    assert "2 validators, all honest, 1 view, one crash each: " in done.out
    assert "crashes after 1 store and sending, and starts again" in done.out
    told = json.loads(explore(tmp_path, *words, "--json").out)  # what broke is in the record: nothing is searched again
    assert (done.status, done.err, told["without"], told["closed"]) == (command.FOUND, "", "own-votes", False)
    assert (
        told["broken"]["rule"] == "the chain comes back" and f"broken: the chain comes back: {told['broken']['detail']}"
    )
    assert [line[6:] for line in done.out.splitlines()[-len(told["trail"]) :]] == told["trail"]
    assert sum("crashes after" in step for step in told["trail"]) == 2


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--nodes", "8"], "--nodes must be within 1..7"),
        (["--views", "0"], "--views must be within 1..5"),
        (["--crashes", "6"], "--crashes must be within 0..5"),
        (["--blocks", "3"], "--blocks"),
        (["--byzantine", "4"], "--byzantine must be none or a place from 0 to 3, not '4'"),
        (["--byzantine", "\u0661"], "--byzantine must be none"),
        (["--nodes", "3"], "3 validators tolerate no traitor"),
        (["--states", "0"], "--states must be at least 1"),
        (["--minutes", "-1"], "--minutes must be above 0"),
        (["--without", "luck"], "no safeguard 'luck'; lucid sim ablate --list names them"),
        (["--out", "no/folder/record"], "No such file"),
        (["--out", "file"], "file is not a record of an exploration"),
    ],
)
def test_wrong_input_is_one_sentence(tmp_path: Path, words: list[str], says: str) -> None:
    (tmp_path / "file").write_text("words")
    assert_refused(explore(tmp_path, *words), says)


def test_a_record_of_another_scope_is_left_alone(tmp_path: Path) -> None:
    assert explore(tmp_path, *PAIR, "--out", "record").status == 0
    before = (tmp_path / "record").read_bytes()
    assert_refused(explore(tmp_path, *PAIR[:4], *PAIR[6:], "--out", "record"), "record is of another scope")
    assert_refused(
        explore(tmp_path, *PAIR, "--without", "own-votes", "--out", "record"), "another without (none, not own"
    )
    assert (tmp_path / "record").read_bytes() == before
