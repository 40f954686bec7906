"""The trace hash and state root of every shipped scenario: what the machines accept and do, to the byte.

A change here is a change of behavior: give its reason in CHANGELOG.md, then write the file anew with
`pytest tests/golden/test_trace_hashes.py --rewrite-golden` and read its diff.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import run
from sim.scenariochecks import changed
from sim.scenariofile import parse, shipped

GOLDEN = Path(__file__).with_name("trace_hashes.toml")
DURATIONS = {
    "chunks": "6m",
    "crash-restart": "12m",
    "day": "5m",
    "default": "4m",
    "hundred": "40s",
    "lan": "4m",
    "late-join": "121m",
    "lossy": "8m",
    "mute-leader": "10m",
    "one-node": "20m",
    "pools": "5m",
    "rolling-upgrade": "12m",
    "short-epochs": "12m",
    "small-cooldown": "8m",
    "split": "22m",
    "tor": "6m",
    "wrong-clock": "8m",
}
"""Long enough to see each scenario's fault begin, and a newcomer take a snapshot; together some 20 s of one core."""

HEAD = "# Written by tests/golden/test_trace_hashes.py; a change needs a reason in CHANGELOG.md."


@pytest.fixture(scope="module")
def rewritten(request: pytest.FixtureRequest) -> Iterator[dict[str, dict[str, str]] | None]:
    """With `--rewrite-golden`, what the scenarios come to now, written when all have run; else None."""
    if not request.config.getoption("--rewrite-golden"):
        yield None
        return
    found: dict[str, dict[str, str]] = {}
    yield found
    tables = [
        f"[{name}]\n" + "".join(f'{key} = "{value}"\n' for key, value in values.items())
        for name, values in sorted((golden() | found).items())
        if name in DURATIONS
    ]
    GOLDEN.write_text(HEAD + "\n\n" + "\n".join(tables), "utf-8")


def golden() -> dict[str, dict[str, str]]:
    """What is written down, by scenario."""
    return tomllib.loads(GOLDEN.read_text("utf-8")) if GOLDEN.exists() else {}


def test_every_shipped_scenario_is_written_down(rewritten: dict[str, dict[str, str]] | None) -> None:
    if rewritten is not None:
        pytest.skip("it is being written")
    assert sorted(DURATIONS) == sorted(golden()) == sorted(shipped())


@pytest.mark.parametrize("name", sorted(DURATIONS))
def test_the_machines_do_what_they_did(name: str, rewritten: dict[str, dict[str, str]] | None) -> None:
    scenario = changed(parse(shipped()[name], name), duration=DURATIONS[name])
    result = run(scenario)
    assert result.passed, result.reason
    found = {"duration": DURATIONS[name], "trace_hash": result.trace_hash, "state_root": result.state_root}
    if rewritten is not None:
        rewritten[name] = found
        return
    assert found == golden()[name], (
        f"the machines of {name!r} do something else than before: if that is meant, give the reason in CHANGELOG.md "
        "and run `pytest tests/golden/test_trace_hashes.py --rewrite-golden`"
    )
