"""`--jobs` and `--scheduler`: the one or the other, checked before any run, and let go of at the end whatever comes."""

from __future__ import annotations

import argparse
import os
from typing import NoReturn

import pytest

from harness.cluster import ClusterError
from lucid.cli.failure import Failure
from lucid.cli.main import Parser
from lucid.cli.workers import add_workers, chosen_workers, said


def options(*words: str) -> argparse.Namespace:
    """What a command with these options alone is given."""
    parser = Parser(prog="lucid")
    add_workers(parser)
    return parser.parse_args(words)


class FakeCluster:
    """A cluster of three, as far as commands know it."""

    jobs = 3

    def __init__(self, address: str) -> None:
        self.address, self.closed = address, 0

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def clusters(monkeypatch: pytest.MonkeyPatch) -> list[FakeCluster]:
    """Those that were asked for."""
    made: list[FakeCluster] = []

    def make(address: str) -> FakeCluster:
        made.append(FakeCluster(address))
        return made[-1]

    monkeypatch.setattr("harness.cluster.Cluster", make)
    return made


@pytest.mark.parametrize(("words", "jobs"), [((), os.cpu_count()), (("--jobs", "3"), 3), (("--jobs", "1"), 1)])
def test_processes_here_are_as_many_as_was_said_or_as_there_are_cores(words: tuple[str, ...], jobs: int) -> None:
    with chosen_workers(options(*words)) as workers:
        assert workers == jobs and said(workers) == f"{jobs} processes"


def test_a_cluster_is_named_and_let_go_of(clusters: list[FakeCluster]) -> None:
    given = options("--scheduler", "tcp://pi:8786")
    with chosen_workers(given) as workers:
        assert workers is clusters[0] and said(workers) == "3 workers of tcp://pi:8786"  # type: ignore[comparison-overlap]
        assert not clusters[0].closed
    with pytest.raises(KeyboardInterrupt), chosen_workers(given):
        raise KeyboardInterrupt
    assert [each.closed for each in clusters] == [1, 1]


def test_a_cluster_that_cannot_be_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(address: str) -> NoReturn:
        raise ClusterError(f"no Dask scheduler at {address}: refused")

    monkeypatch.setattr("harness.cluster.Cluster", away)
    with pytest.raises(Failure) as refused, chosen_workers(options("--scheduler", "tcp://pi:1")):
        raise AssertionError("nothing is begun")
    assert str(refused.value) == "no Dask scheduler at tcp://pi:1: refused"


@pytest.mark.parametrize("words", [("--jobs", "0"), ("--jobs", "-1"), ("--jobs", "few"), ("--jobs", "1.5")])
def test_what_is_no_number_of_processes_is_refused(words: tuple[str, ...]) -> None:
    with pytest.raises(Failure, match="is not a whole number of 1 or more"):
        options(*words)


@pytest.mark.parametrize("jobs", [1, 2, os.cpu_count()])
def test_it_is_either_here_or_there(jobs: int) -> None:
    """Argparse takes what is the default for not given: as many processes as there are cores were once."""
    with pytest.raises(Failure, match="not allowed with"):
        options("--jobs", str(jobs), "--scheduler", "tcp://pi:8786")
